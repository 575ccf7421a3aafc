/** Reads of one unit of work: questions of the same moment go to the store together. */
import type { DeflatedBlob, ObjectInfo, Store, StoredObject } from '../store/store.ts'
import { Loader } from './loader.ts'
import { maxParsedBytes } from './object-content.ts'

export class StoreReads {
  readonly #known = new Map<string, ObjectInfo>()
  readonly #infos: Loader<ObjectInfo | undefined>
  /** Objects; contents only up to `maxInlineBytes`. */
  readonly inline: Loader<StoredObject | undefined>
  /** Blobs as the store has them; undefined = to be read by `inline`, and so where the store has no such method. */
  readonly deflated: Loader<DeflatedBlob | undefined> | undefined
  /** Objects that the service parses. */
  readonly parsed: Loader<StoredObject | undefined>

  constructor(store: Store, repository: string, maxInlineBytes: number) {
    this.#infos = new Loader((oids) => store.hasObjects(repository, oids))
    this.inline = new Loader((oids) => store.readObjects(repository, oids, maxInlineBytes))
    this.deflated =
      store.readDeflated &&
      new Loader((oids) => store.readDeflated?.(repository, oids, maxInlineBytes) ?? Promise.resolve([]))
    this.parsed = new Loader((oids) => store.readObjects(repository, oids, maxParsedBytes))
  }

  /** Kind and size; what was found once is not asked for again. */
  async info(oid: string): Promise<ObjectInfo | undefined> {
    const known = this.#known.get(oid)
    if (known) return known
    const info = await this.#infos.load(oid)
    if (info) this.#known.set(oid, info)
    return info
  }
}
