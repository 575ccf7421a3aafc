/** Objects that were read or stored before. They are never stale: an object never changes, and ids never come back. */
import type { ObjectKind } from '../../../src/git/oid.ts'
import { BoundedCache, shareOfMemory } from '../bounded-cache.ts'

/** An object as far as it is known. */
export interface CachedObject {
  readonly kind: ObjectKind
  readonly size: number
  readonly content?: Uint8Array | undefined
  /** The zlib stream of the row; null = its content is stored as it is. */
  readonly deflated?: Uint8Array | null | undefined
  /** The content lies in chunks. */
  readonly contentId?: string | undefined
}

const maxBytes = 64 * 1024 * 1024
/** Of an entry beside its contents. */
const entryBytes = 300

export class ObjectCache {
  readonly #entries = new BoundedCache<CachedObject>({
    maxBytes: shareOfMemory(1 / 8, maxBytes),
    maxAgeMs: Number.POSITIVE_INFINITY
  })

  /** @param id of the repository */
  get(id: string, oid: string): CachedObject | undefined {
    return this.#entries.get(id + oid)
  }

  /** Adds to what is known. */
  set(id: string, oid: string, object: CachedObject): void {
    const key = id + oid
    const known = this.#entries.get(key)
    const { kind, size, content = known?.content, deflated = known?.deflated, contentId = known?.contentId } = object
    const bytes = entryBytes + (content?.length ?? 0) + (deflated?.length ?? 0)
    this.#entries.set(key, { kind, size, content, deflated, contentId }, bytes)
  }
}
