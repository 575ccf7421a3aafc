/** Repositories: their names, their rows, and how a statement finds the one that a name means. */
import type { ObjectFormat } from '../../../src/git/oid.ts'
import type { Creation, CreationOptions, Head, KeyedBy, PageRequest, RepositoryInfo } from '../store.ts'
import type { Database } from './database/database.ts'
import { unwritten } from './unwritten.ts'

/** The repository that a name means, as this server knows it. */
export interface KnownRepository {
  /** A bigint. */
  readonly id: string
  readonly name: string
  readonly objectFormat: ObjectFormat
}

/** Thrown by work that found no repository of its id: the name may mean another one by now. */
export class RepositoryGone extends Error {}

export class Repositories {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Does work on the repository of this name. Where the work throws `RepositoryGone`, the name is looked up again and the
   * work done again, once.
   *
   * @throws BlobwireError `not_found`, reason `repository`
   */
  async use<T>(repository: string, work: (found: KnownRepository) => Promise<T>): Promise<T> {
    const found: KnownRepository = { id: '0', name: repository, objectFormat: 'sha1' }
    try {
      return await work(found)
    } catch (error) {
      throw error instanceof RepositoryGone ? unwritten(this.#database) : error
    }
  }

  create(_repository: string, _format: ObjectFormat, _options: CreationOptions): Promise<Creation> {
    throw unwritten(this.#database)
  }

  update(
    _repository: string,
    _defaultBranch: string,
    _request: KeyedBy<RepositoryInfo> | undefined
  ): Promise<RepositoryInfo> {
    throw unwritten(this.#database)
  }

  find(_repository: string): Promise<RepositoryInfo | undefined> | RepositoryInfo | undefined {
    throw unwritten(this.#database)
  }

  list(_page: PageRequest): Promise<RepositoryInfo[]> {
    throw unwritten(this.#database)
  }

  delete(_repository: string, _request: KeyedBy<boolean> | undefined): Promise<boolean> {
    throw unwritten(this.#database)
  }

  head(_repository: string): Promise<Head> {
    throw unwritten(this.#database)
  }
}
