/** Uploads in the memory of this process. */
import type { Clock } from '../../src/core/clock.ts'
import type { ObjectFormat } from '../../src/git/oid.ts'
import { BlockList } from './block-list.ts'
import type { StoredBlob, UploadedBlob } from './large-content.ts'
import { repositoryNotFound } from './name-page.ts'
import { keptBytes, type ObjectTable } from './object-table.ts'
import type { RepositoryInfo } from './store.ts'
import { placeOf, type Spool, type SpoolStore, type UploadRecord } from './uploads/spool.ts'

/** Blobs that are remembered for the ids of their uploads: the newest so many. */
const maxRemembered = 100_000

/** The repository of an upload. */
interface Target {
  readonly info: RepositoryInfo
  readonly objects: ObjectTable
}

export class MemorySpools implements SpoolStore {
  readonly #repositories: ReadonlyMap<string, Target>
  readonly #clock: Clock
  readonly #spools = new Map<string, MemorySpool>()
  readonly #remembered = new Map<string, UploadRecord>()

  constructor(repositories: ReadonlyMap<string, Target>, clock: Clock) {
    this.#repositories = repositories
    this.#clock = clock
  }

  async list(): Promise<UploadRecord[]> {
    return [...Array.from(this.#spools.values(), (spool) => spool.record), ...this.#remembered.values()]
  }

  async find(repository: string, id: string): Promise<UploadRecord | undefined> {
    this.#target(repository)
    const place = placeOf(repository, id)
    return this.#spools.get(place)?.record ?? this.#remembered.get(place)
  }

  async open(repository: string, id: string, size: number | undefined): Promise<Spool> {
    const target = this.#target(repository)
    const place = placeOf(repository, id)
    const begun = this.#spools.get(place)
    if (begun) return begun
    const spool = new MemorySpool({ repository, id, size }, { target, clock: this.#clock }, (blob) => {
      if (this.#repositories.get(repository) !== target) throw repositoryNotFound(repository)
      this.#spools.delete(place)
      this.#remember(place, { ...spool.record, offset: blob.size, blob })
    })
    if (!this.#remembered.has(place)) this.#spools.set(place, spool)
    else spool.blob = this.#remembered.get(place)?.blob
    return spool
  }

  async remove(repository: string, id: string): Promise<boolean> {
    const place = placeOf(repository, id)
    const wasThere = this.#spools.delete(place)
    return this.#remembered.delete(place) || wasThere
  }

  /** Removes the uploads of a repository. */
  removeAll(repository: string): void {
    const prefix = placeOf(repository, '')
    for (const places of [this.#spools, this.#remembered]) {
      for (const place of places.keys()) if (place.startsWith(prefix)) places.delete(place)
    }
  }

  #target(repository: string): Target {
    const target = this.#repositories.get(repository)
    if (target === undefined) throw repositoryNotFound(repository)
    return target
  }

  #remember(place: string, record: UploadRecord): void {
    this.#remembered.set(place, record)
    const [oldest] = this.#remembered.keys()
    if (this.#remembered.size > maxRemembered && oldest !== undefined) this.#remembered.delete(oldest)
  }
}

/** An upload while it comes. */
class MemorySpool implements Spool {
  blob: StoredBlob | undefined
  readonly #begun: Pick<UploadRecord, 'repository' | 'id' | 'size'>
  readonly #target: Target
  readonly #clock: Clock
  readonly #content = new BlockList()
  readonly #onBlob: (blob: StoredBlob) => void
  #changedAtMs: number

  constructor(
    begun: Pick<UploadRecord, 'repository' | 'id' | 'size'>,
    { target, clock }: { target: Target; clock: Clock },
    onBlob: (blob: StoredBlob) => void
  ) {
    this.#begun = begun
    this.#target = target
    this.#clock = clock
    this.#onBlob = onBlob
    this.#changedAtMs = clock.wallTimeMs()
  }

  get objectFormat(): ObjectFormat {
    return this.#target.info.objectFormat
  }

  get size(): number | undefined {
    return this.#begun.size
  }

  get offset(): number {
    return this.blob?.size ?? this.#content.length
  }

  get record(): UploadRecord {
    return { ...this.#begun, offset: this.offset, blob: this.blob, changedAtMs: this.#changedAtMs }
  }

  append(chunk: Uint8Array): undefined {
    this.#content.append(chunk)
    this.#changedAtMs = this.#clock.wallTimeMs()
  }

  read(): Iterable<Uint8Array> {
    return this.#content.slices(0, this.#content.length)
  }

  async become(blob: StoredBlob): Promise<UploadedBlob> {
    this.#changedAtMs = this.#clock.wallTimeMs()
    this.#onBlob(blob)
    this.blob = blob
    const { objects } = this.#target
    const created = objects.get(blob.oid) === undefined
    const content = this.#content
    content.seal()
    if (created) objects.add(blob.oid, { kind: 'blob', content: blob.size < keptBytes ? content.join() : content })
    return { ...blob, created }
  }

  async close(): Promise<void> {}
}
