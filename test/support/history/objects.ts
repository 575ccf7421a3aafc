/** Objects of a history that a test makes, named by a hash that is not the product's. */
import { createHash } from 'node:crypto'
import type { ObjectFormat, ObjectKind } from '../../../src/git/oid.ts'

/** One object; the content is without Git's header. */
export interface MadeObject {
  readonly kind: ObjectKind
  readonly oid: string
  readonly content: Uint8Array
}

/** A repository as data. `writeHistory` makes a real one. */
export interface History {
  readonly format: ObjectFormat
  readonly objects: readonly MadeObject[]
  /** Full names and oids. */
  readonly refs: ReadonlyMap<string, string>
  /** The branch of HEAD, as a full name. */
  readonly head: string
  /** Commits in it, from all refs. */
  readonly commits: number
}

/** Each object once. */
export class ObjectPool {
  readonly format: ObjectFormat
  readonly #objects = new Map<string, MadeObject>()

  constructor(format: ObjectFormat) {
    this.format = format
  }

  get objects(): readonly MadeObject[] {
    return [...this.#objects.values()]
  }

  /** Takes an object and returns its oid; a string stands for its UTF-8 bytes. */
  add(kind: ObjectKind, content: Uint8Array | string): string {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    const oid = createHash(this.format).update(`${kind} ${bytes.length}\0`).update(bytes).digest('hex')
    if (!this.#objects.has(oid)) this.#objects.set(oid, { kind, oid, content: bytes })
    return oid
  }
}
