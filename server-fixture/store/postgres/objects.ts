/** Objects as rows: gathered puts, reads together, a cache. */
import { isOid, oidLength } from '../../../src/git/oid.ts'
import { PutGatherer } from '../gathering/put-gatherer.ts'
import type { DeflatedBlob, NewObject, ObjectInfo, StoredObject } from '../store.ts'
import type { Database } from './database/database.ts'
import { type CachedObject, ObjectCache } from './object-cache.ts'
import { ObjectReader } from './object-reader.ts'
import { inflateContent, insertObjects, isDeflated, kindOf, maxRowBytes, type ObjectRow } from './object-rows.ts'
import { type KnownRepository, type Repositories, RepositoryGone } from './repositories.ts'

/** Objects above a size, whose contents lie in chunks. */
export interface LargeObjects {
  /** @throws RepositoryGone */
  put(repository: KnownRepository, object: NewObject): Promise<void>
  readWhole(repository: KnownRepository, contentId: string, size: number): Promise<Uint8Array>
}

/** Objects that are asked for. */
interface Question {
  readonly oids: readonly string[]
  /** Larger contents are left out. */
  readonly maxBytes: number
  /** Whether an object of the cache is known as it is asked for. */
  readonly isEnough: (object: CachedObject) => boolean
}

/** Only kind and size are asked for. */
const noContent = -1

export class Objects {
  readonly #database: Database
  readonly #repositories: Repositories
  readonly #large: LargeObjects
  readonly #reader: ObjectReader
  #known = new ObjectCache()
  #losses = 0
  /** Of the repositories that are being written to, by id. */
  readonly #gatherers = new Map<string, PutGatherer>()

  constructor(database: Database, repositories: Repositories, large: LargeObjects) {
    this.#database = database
    this.#repositories = repositories
    this.#large = large
    this.#reader = new ObjectReader(database)
  }

  /** Forgets all where a connection was lost: an object that another server of the database lacks must not be taken for stored. */
  get #cache(): ObjectCache {
    const { losses } = this.#database
    if (losses !== this.#losses) {
      this.#losses = losses
      this.#known = new ObjectCache()
    }
    return this.#known
  }

  put(repository: string, objects: readonly NewObject[], incarnation?: string): Promise<void> {
    const put = async (found: KnownRepository) => {
      // The caller hashed them for another repository of this name.
      if (objects[0] && objects[0].oid.length !== oidLength(found.objectFormat)) throw new RepositoryGone()
      const large = objects.filter(({ content }) => content.length > maxRowBytes)
      const small = large.length === 0 ? objects : objects.filter(({ content }) => content.length <= maxRowBytes)
      for (const object of large) await this.#large.put(found, object)
      if (small.length > 0) await this.#putSmall(found.id, small)
      else await this.#repositories.confirm(found)
    }
    return this.#repositories.use(repository, put, incarnation)
  }

  read(repository: string, oids: readonly string[], maxBytes: number): Promise<(StoredObject | undefined)[]> {
    return this.#repositories.use(repository, async (found) => {
      const isEnough = ({ size, content, deflated }: CachedObject) => size > maxBytes || !!(content ?? deflated)
      const objects = await this.#find(found, { oids, maxBytes, isEnough })
      const read = objects.map((object, index) => {
        if (object === undefined) return undefined
        const { kind, size, content } = object
        if (size > maxBytes) return { kind, size, content: undefined }
        return content ? { kind, size, content } : this.#withContent(found, oids[index] as string, object)
      })
      return read.some((one) => one instanceof Promise) ? Promise.all(read) : (read as (StoredObject | undefined)[])
    })
  }

  readDeflated(repository: string, oids: readonly string[], maxBytes: number): Promise<(DeflatedBlob | undefined)[]> {
    return this.#repositories.use(repository, async (found) => {
      const isEnough = ({ size, deflated }: CachedObject) => size > maxBytes || deflated !== undefined
      const objects = await this.#find(found, { oids, maxBytes, isEnough })
      return objects.map((object) =>
        object?.kind === 'blob' && object.deflated && object.size <= maxBytes
          ? { size: object.size, deflated: object.deflated }
          : undefined
      )
    })
  }

  infos(repository: string, oids: readonly string[]): Promise<(ObjectInfo | undefined)[]> {
    return this.#repositories.use(repository, async (found) => {
      const objects = await this.#find(found, { oids, maxBytes: noContent, isEnough: () => true })
      return objects.map((object) => object && { kind: object.kind, size: object.size })
    })
  }

  async #putSmall(id: string, objects: readonly NewObject[]): Promise<void> {
    let gatherer = this.#gatherers.get(id)
    if (gatherer === undefined) {
      // Another server may have deleted the repository: only the database can tell that an object is there, and only in a
      // statement that begins after the put.
      gatherer = new PutGatherer((all) => this.#insert(id, all), { maxRecentOids: 0, joinsWrites: false })
      this.#gatherers.set(id, gatherer)
    }
    try {
      await gatherer.put(objects)
    } finally {
      if (gatherer.isIdle) this.#gatherers.delete(id)
    }
    this.keep(id, objects)
  }

  /** Objects were stored. Keeps those that the service reads next. */
  keep(id: string, objects: readonly NewObject[]): void {
    for (const { oid, kind, content } of objects) {
      if (kind !== 'blob') this.#cache.set(id, oid, { kind, size: content.length, content: content.slice() })
    }
  }

  async #insert(id: string, objects: readonly NewObject[]): Promise<void> {
    const added = await this.#database.write(await insertObjects(id, objects))
    // All were there, or the repository was not.
    if (added.length === 0) await this.#reader.read(id, [], noContent)
  }

  /** From the cache, where that is enough, or else from their rows. */
  async #find(found: KnownRepository, { oids, maxBytes, isEnough }: Question): Promise<(CachedObject | undefined)[]> {
    const cached = oids.map((oid) => {
      const object = this.#cache.get(found.id, oid)
      return object && isEnough(object) ? object : undefined
    })
    const missing = oids.filter((oid, index) => cached[index] === undefined && isOid(oid, found.objectFormat))
    // An oid of the other object format is asked about as well: the repository may be gone.
    if (cached.every((object) => object !== undefined)) {
      await this.#repositories.confirm(found)
      return cached
    }
    const rows = await this.#reader.read(found.id, missing, maxBytes)
    return oids.map((oid, index) => {
      const row = rows.get(oid)
      if (cached[index] || row === undefined) return cached[index]
      const object = objectOf(row)
      this.#cache.set(found.id, oid, object)
      return object
    })
  }

  async #withContent(found: KnownRepository, oid: string, object: CachedObject): Promise<StoredObject> {
    const { kind, size, deflated, contentId } = object
    const content = bytesOf(
      contentId
        ? await this.#large.readWhole(found, contentId, size)
        : await inflateContent(deflated as Uint8Array, size)
    )
    this.#cache.set(found.id, oid, { kind, size, content })
    return { kind, size, content }
  }
}

function objectOf(row: ObjectRow): CachedObject {
  const known = { kind: kindOf(row), size: Number(row.size), contentId: row.content_id ?? undefined }
  if (row.content === null) return known
  return isDeflated(row)
    ? { ...known, deflated: row.content }
    : { ...known, content: bytesOf(row.content), deflated: null }
}

/** Callers get no Buffer. */
const bytesOf = ({ buffer, byteOffset, length }: Uint8Array) => new Uint8Array(buffer, byteOffset, length)
