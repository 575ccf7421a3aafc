/**
 * Which repository a name means. Names are looked up once and then remembered: each statement finds the repository by
 * its id, and an id without a row has the name looked up again, so that no server has to tell another one.
 */
import type { ObjectFormat } from '../../../src/git/oid.ts'
import { BoundedCache } from '../bounded-cache.ts'
import { repositoryNotFound } from '../name-page.ts'
import { type RepositoryInfo, RepositoryReplaced } from '../store.ts'
import type { Database } from './database/database.ts'

/** The repository that a name means, as this server knows it. */
export interface KnownRepository {
  /** A bigint. */
  readonly id: string
  readonly name: string
  readonly objectFormat: ObjectFormat
}

/** Thrown by work that found no repository of its id: the name may mean another one by now. */
export class RepositoryGone extends Error {}

/** The name of a repository, its row, and when this server read it last. */
export interface FoundRepository extends KnownRepository {
  readonly info: RepositoryInfo
  /** Somebody chose the default branch. */
  readonly isChosen: boolean
  readonly readAtMs: number
}

/** A row of `repositories`. */
interface RepositoryRow {
  readonly object_format: number
  readonly default_branch: string
  readonly is_chosen: boolean
}

/** That a repository exists is at most so old. */
const maxAgeMs = 1000
/** From this age on it is read again, while calls go on with it. */
const refreshAgeMs = 500
/** Some 50,000 repositories. */
const cacheBytes = 16 * 1024 * 1024
const entryBytes = 320

export const formatNumbers: Readonly<Record<ObjectFormat, number>> = { sha1: 1, sha256: 2 }

export class KnownRepositories {
  readonly #database: Database
  readonly #now: () => number
  readonly #cache: BoundedCache<FoundRepository>
  /** Names that are being looked up. */
  readonly #lookups = new Map<string, Promise<FoundRepository | undefined>>()

  /** @param now milliseconds on a clock that never goes back */
  constructor(database: Database, now: () => number = () => performance.now()) {
    this.#database = database
    this.#now = now
    this.#cache = new BoundedCache({ maxBytes: cacheBytes, maxAgeMs: Number.POSITIVE_INFINITY, now })
  }

  /**
   * Does work on the repository of this name. Where the work throws `RepositoryGone`, the name is looked up again and the
   * work done again, once.
   *
   * @param incarnation the id that is meant; undefined = any
   * @throws BlobwireError `not_found`, reason `repository`; RepositoryReplaced
   */
  async use<T>(name: string, work: (found: FoundRepository) => Promise<T>, incarnation?: string): Promise<T> {
    const known = this.#cache.get(name) ?? (await this.#lookUpTogether(name))
    if (known === undefined) throw repositoryNotFound(name)
    try {
      if (incarnation === undefined || known.id === incarnation) return await work(known)
    } catch (error) {
      if (!(error instanceof RepositoryGone)) throw error
    }
    const again = await this.lookUp(name)
    if (again === undefined) throw repositoryNotFound(name)
    if (incarnation !== undefined && again.id !== incarnation) throw new RepositoryReplaced(name)
    try {
      return await work(again)
    } catch (error) {
      throw error instanceof RepositoryGone ? repositoryNotFound(name) : error
    }
  }

  /** At once where the row was read within the last second. */
  find(name: string): Promise<FoundRepository | undefined> | FoundRepository | undefined {
    const known = this.#cache.get(name)
    const ageMs = known === undefined ? Number.POSITIVE_INFINITY : this.#now() - known.readAtMs
    if (ageMs > maxAgeMs) return this.#lookUpTogether(name)
    if (ageMs > refreshAgeMs && !this.#lookups.has(name)) this.#lookUpTogether(name).catch(() => undefined)
    return known
  }

  /**
   * Makes sure that the repository was there a second ago; undefined = it was.
   *
   * @throws RepositoryGone
   */
  confirm({ name, id }: KnownRepository): Promise<void> | undefined {
    const found = this.find(name)
    if (found instanceof Promise) return found.then((known) => throwUnless(known?.id === id))
    throwUnless(found?.id === id)
    return undefined
  }

  /** As the database has it now. */
  async lookUp(name: string): Promise<FoundRepository | undefined> {
    const { found } = await this.lookUpName(name)
    return found
  }

  /** The same, with the id that the name has; `found` is undefined where no repository has this id any more. */
  async lookUpName(name: string): Promise<{ id?: string; found?: FoundRepository }> {
    const known = this.#cache.get(name)
    // A name keeps its id as long as the repository exists.
    const same = known && (await this.#read(name, known.id))
    if (same) return { id: same.id, found: same }
    this.#cache.delete(name)
    const [row] = await this.#database.read<{ id: string }>({
      name: 'id of name',
      text: 'SELECT id FROM names WHERE name = $1',
      values: [name]
    })
    if (row === undefined) return {}
    const found = await this.#read(name, row.id)
    return found ? { id: row.id, found } : { id: row.id }
  }

  /** Remembers a repository that was just made or changed. */
  remember(found: Omit<FoundRepository, 'readAtMs'>): void {
    this.#cache.set(found.name, { ...found, readAtMs: this.#now() }, entryBytes + 4 * found.name.length)
  }

  /** Forgets a name that means this repository no more. */
  forget(name: string, id: string): void {
    if (this.#cache.get(name)?.id === id) this.#cache.delete(name)
  }

  /** Calls that look for one name at once share the answer, but not that there is none: it may have been made since. */
  async #lookUpTogether(name: string): Promise<FoundRepository | undefined> {
    const shared = this.#lookups.get(name)
    const found = await shared
    if (found) return found
    const own = this.lookUp(name)
    this.#lookups.set(name, own)
    try {
      return await own
    } finally {
      if (this.#lookups.get(name) === own) this.#lookups.delete(name)
    }
  }

  async #read(name: string, id: string): Promise<FoundRepository | undefined> {
    const readAtMs = this.#now()
    const [row] = await this.#database.read<RepositoryRow>({
      name: 'repository',
      text: 'SELECT object_format, default_branch, is_chosen FROM repositories WHERE id = $1',
      values: [id]
    })
    if (row === undefined) return undefined
    const objectFormat = row.object_format === formatNumbers.sha256 ? 'sha256' : 'sha1'
    const info = { repository: name, objectFormat, defaultBranch: row.default_branch, incarnation: id } as const
    const found = { id, name, objectFormat, info, isChosen: row.is_chosen, readAtMs } as const
    this.#cache.set(name, found, entryBytes + 4 * name.length)
    return found
  }
}

function throwUnless(isThere: boolean): void {
  if (!isThere) throw new RepositoryGone()
}
