/**
 * Repositories: their names and their rows. A name and the repository's row may lie in two places of a distributed
 * engine, so that order stands for a transaction: a creation writes the repository and then the name, a deletion removes
 * the repository, and then the name. A name whose repository is gone means nothing.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import type { ObjectFormat } from '../../../src/git/oid.ts'
import { repositoryNotFound } from '../name-page.ts'
import { initialBranch } from '../ref-rules.ts'
import {
  type Creation,
  type CreationOptions,
  type Head,
  type KeyedBy,
  type KeyedRequest,
  KeyRemembered,
  type PageRequest,
  type RepositoryInfo
} from '../store.ts'
import type { Database } from './database/database.ts'
import { readHead } from './head.ts'
import { type FoundRepository, formatNumbers, KnownRepositories, type KnownRepository } from './known-repositories.ts'
import { deletedByKey, insertNameKey, keySeconds, NameKeys } from './name-keys.ts'
import { listRepositories } from './repository-list.ts'

export { type KnownRepository, RepositoryGone } from './known-repositories.ts'

/** A repository to be made. */
interface NewRepository extends Omit<FoundRepository, 'readAtMs'> {
  readonly request: KeyedRequest | undefined
}

export class Repositories {
  /** Keys of creations and deletions. */
  readonly keys: NameKeys
  readonly #database: Database
  readonly #known: KnownRepositories

  constructor(database: Database, known: KnownRepositories = new KnownRepositories(database)) {
    this.#database = database
    this.#known = known
    this.keys = new NameKeys(database)
  }

  /**
   * Does work on the repository of this name. Where the work throws `RepositoryGone`, the name is looked up again and the
   * work done again, once.
   *
   * @param incarnation the id that is meant; undefined = any
   * @throws BlobwireError `not_found`, reason `repository`; RepositoryReplaced
   */
  use<T>(repository: string, work: (found: FoundRepository) => Promise<T>, incarnation?: string): Promise<T> {
    return this.#known.use(repository, work, incarnation)
  }

  /**
   * Makes sure that the repository was there a second ago; undefined = it was.
   *
   * @throws RepositoryGone
   */
  confirm(found: KnownRepository): Promise<void> | undefined {
    return this.#known.confirm(found)
  }

  async create(
    repository: string,
    objectFormat: ObjectFormat,
    { defaultBranch, request }: CreationOptions = {}
  ): Promise<Creation> {
    for (;;) {
      const { id: formerId, found } = await this.#known.lookUpName(repository)
      if (found) {
        const creation = { info: await this.#infoOf(found), created: false }
        if (request) await this.keys.remember(found, [request(creation)])
        return creation
      }
      if (formerId !== undefined) await this.#removeName(repository, formerId)
      const id = newId()
      const info = { repository, objectFormat, defaultBranch: defaultBranch ?? initialBranch, incarnation: id }
      const creation = { info, created: true }
      const isChosen = defaultBranch !== undefined
      const made = { id, name: repository, objectFormat, info, isChosen, request: request?.(creation) }
      if (await this.#make(made)) return creation
    }
  }

  async update(
    repository: string,
    defaultBranch: string,
    request: KeyedBy<RepositoryInfo> | undefined
  ): Promise<RepositoryInfo> {
    for (;;) {
      const found = await this.#known.lookUp(repository)
      if (found === undefined) throw repositoryNotFound(repository)
      const info = { ...found.info, defaultBranch }
      const isThere = await this.#database.transaction(async (transaction) => {
        const updated = transaction.query({
          name: 'update repository',
          text: 'UPDATE repositories SET default_branch = $2, is_chosen = true WHERE id = $1 RETURNING id',
          values: [found.id, defaultBranch]
        })
        const remembered = request && transaction.query(insertKey(found.id, request(info)))
        const [[row], keys] = await Promise.all([updated, remembered])
        if (row && request && keys?.length === 0) throw new KeyRemembered(request(info).key)
        return row !== undefined
      })
      if (!isThere) continue
      this.#known.remember({ ...found, info, isChosen: true })
      return info
    }
  }

  /** At once where its row was read within the last second. */
  find(repository: string): Promise<RepositoryInfo | undefined> | RepositoryInfo | undefined {
    const found = this.#known.find(repository)
    return found instanceof Promise ? found.then((known) => known?.info) : found?.info
  }

  /** As the database has it now. */
  async isCurrent({ repository, incarnation }: RepositoryInfo): Promise<boolean> {
    return (await this.#known.lookUp(repository))?.id === incarnation
  }

  list(page: PageRequest): Promise<RepositoryInfo[]> {
    return listRepositories(this.#database, page)
  }

  async delete(repository: string, request: KeyedBy<boolean> | undefined): Promise<boolean> {
    const { id, found } = await this.#known.lookUpName(repository)
    if (found === undefined) {
      if (id !== undefined) await this.#removeName(repository, id)
      if (request) await this.keys.remember({ name: repository, id: '0' }, [request(false)])
      return false
    }
    const keyed = request?.(true)
    if (keyed) await this.keys.remember(found, [keyed], true)
    const isDeleted = await this.#bury(found, keyed ? deletedByKey(keyed.key) : `call ${randomUUID()}`)
    this.#known.forget(repository, found.id)
    await Promise.all([this.#removeName(repository, found.id), keyed && isDeleted && this.keys.complete(found, keyed)])
    if (request && !isDeleted) await this.keys.settle(found, request(false))
    return isDeleted
  }

  head(repository: string): Promise<Head> {
    return this.#known.use(repository, (found) => readHead(this.#database, found.id))
  }

  async #infoOf({ id, info, isChosen }: FoundRepository): Promise<RepositoryInfo> {
    return isChosen ? info : { ...info, defaultBranch: (await readHead(this.#database, id)).ref }
  }

  /** False = another call gave the name to a repository of its own, or the key was not free and is now. */
  async #make(made: NewRepository): Promise<boolean> {
    const { id, name, objectFormat, info, isChosen, request } = made
    await this.#database.write({
      name: 'create repository',
      text: `INSERT INTO repositories (id, name, object_format, default_branch, is_chosen)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING`,
      values: [id, name, formatNumbers[objectFormat], info.defaultBranch, isChosen]
    })
    let isGiven = false
    try {
      isGiven = await this.#giveName(made)
    } catch (error) {
      if (!(error instanceof KeyRemembered)) throw error
      await this.#removeRow(id)
      if (request && (await this.keys.free(name, request.key))) return false
      throw error
    }
    if (isGiven) this.#known.remember({ id, name, objectFormat, info, isChosen })
    else await this.#removeRow(id)
    return isGiven
  }

  #giveName({ id, name, request }: NewRepository): Promise<boolean> {
    const insertName = {
      name: 'create name',
      // A name that is taken returns the id that it has, also where this statement gave it that id before.
      text: 'INSERT INTO names AS n (name, id) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET id = n.id RETURNING id',
      values: [name, id]
    }
    const isOurs = ([row]: readonly { id: string }[]) => row?.id === id
    if (request === undefined) return this.#database.write<{ id: string }>(insertName).then(isOurs)
    return this.#database.transaction(async (transaction) => {
      if (!isOurs(await transaction.query<{ id: string }>(insertName))) return false
      if (!isOurs(await transaction.query<{ id: string }>(insertNameKey({ name, id }, request)))) {
        throw new KeyRemembered(request.key)
      }
      return true
    })
  }

  /** Deletes the repository, unless another call did it first. */
  async #bury({ id, name }: KnownRepository, deletedBy: string): Promise<boolean> {
    const tombstones = await this.#database.transaction((transaction) => {
      void transaction.query({
        name: 'bury',
        text: `INSERT INTO tombstones (id, name, deleted_by, deleted_at)
          SELECT id, $2, $3, now() FROM repositories WHERE id = $1 ON CONFLICT (id) DO NOTHING`,
        values: [id, name, deletedBy]
      })
      void transaction.query({
        name: 'delete repository',
        text: 'DELETE FROM repositories WHERE id = $1',
        values: [id]
      })
      return transaction.query<{ deleted_by: string }>({
        name: 'tombstone',
        text: 'SELECT deleted_by FROM tombstones WHERE id = $1',
        values: [id]
      })
    })
    return tombstones[0]?.deleted_by === deletedBy
  }

  async #removeRow(id: string): Promise<void> {
    await this.#database.write({
      name: 'remove repository',
      text: 'DELETE FROM repositories WHERE id = $1',
      values: [id]
    })
  }

  async #removeName(name: string, id: string): Promise<void> {
    await this.#database.write({
      name: 'remove name',
      text: 'DELETE FROM names WHERE name = $1 AND id = $2',
      values: [name, id]
    })
  }
}

/** A key in the place of the repository; no row = it is remembered already. */
function insertKey(id: string, { key, digest, outcome }: KeyedRequest) {
  return {
    name: 'update key',
    text: `INSERT INTO request_keys (repository, key, digest, outcome, forget_after)
      VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5::int)) ON CONFLICT DO NOTHING RETURNING key`,
    values: [id, key, digest, outcome, keySeconds]
  }
}

/** A positive bigint that no other repository has had. */
const newId = () => `${(randomBytes(8).readBigUInt64BE() >> 1n) | 1n}`
