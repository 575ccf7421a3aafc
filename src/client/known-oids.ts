/** Oids of objects that a repository is known to hold: a commit names them instead of sending their contents again. */
import type { Messages } from '../schema/messages.ts'
import type { OperationName } from './inputs.ts'

/** Two generations of at most this many oids each, over all repositories of a client. */
const maxPerGeneration = 5000

/** The oids of one repository, in the order in which they came: most of them are never asked for. */
class OidList {
  readonly #set = new Set<string>()
  #oids: string[] = []

  get length(): number {
    return this.#set.size + this.#oids.length
  }

  push(oid: string): void {
    this.#oids.push(oid)
  }

  has(oid: string): boolean {
    if (this.#oids.length > 0) {
      for (const each of this.#oids) this.#set.add(each)
      this.#oids = []
    }
    return this.#set.has(oid)
  }
}

type Generation = Map<string, OidList>

/** The oids that answers of the server have named, by repository. When there are too many, the older half goes. */
export class KnownOids {
  #recent: Generation = new Map()
  #older: Generation = new Map()
  #count = 0

  /** An oid that is told twice may count twice: every answer passes here, and hashing it would slow it down. */
  add(repository: string, oid: string): void {
    let oids = this.#recent.get(repository)
    if (oids === undefined) {
      oids = new OidList()
      this.#recent.set(repository, oids)
    }
    oids.push(oid)
    if (++this.#count < maxPerGeneration) return
    this.#older = this.#recent
    this.#recent = new Map()
    this.#count = 0
  }

  has(repository: string, oid: string): boolean {
    return this.#recent.get(repository)?.has(oid) || this.#older.get(repository)?.has(oid) || false
  }

  /** Whether any object of the repository is known. */
  hasAny(repository: string): boolean {
    return this.#recent.has(repository) || this.#older.has(repository)
  }

  /** For a repository that was deleted, or that lacks an object it was thought to hold. */
  forget(repository: string): void {
    this.#count -= this.#recent.get(repository)?.length ?? 0
    this.#recent.delete(repository)
    this.#older.delete(repository)
  }

  /** Takes over the oids that an answer names. */
  learn(name: OperationName, repository: string, exchange: { request: object; response: object }): void {
    const { request, response } = exchange
    if (name === 'storeBlob' || name === 'getBlob') this.add(repository, (response as { oid: string }).oid)
    else if (name === 'getTree') {
      for (const { oid, mode } of (response as Messages['GetTreeResponse']).entries)
        if (mode !== '160000' && mode !== '040000') this.add(repository, oid)
    } else if (name === 'findMissing') {
      const missing = new Set((response as Messages['FindMissingResponse']).missing)
      for (const oid of (request as Messages['FindMissingRequest']).oids)
        if (!missing.has(oid)) this.add(repository, oid)
    }
  }
}

/** Operations whose answers `KnownOids.learn` reads. */
export const tellsOids: ReadonlySet<OperationName> = new Set(['storeBlob', 'getBlob', 'getTree', 'findMissing'])
