/** Objects as rows: gathered puts, reads together, a cache. */
import type { DeflatedBlob, NewObject, ObjectInfo, StoredObject } from '../store.ts'
import type { Database } from './database/database.ts'
import { type Repositories, RepositoryGone } from './repositories.ts'
import { unwritten } from './unwritten.ts'

export class Objects {
  readonly #database: Database
  readonly #repositories: Repositories

  constructor(database: Database, repositories: Repositories) {
    this.#database = database
    this.#repositories = repositories
  }

  put(repository: string, _objects: readonly NewObject[]): Promise<void> {
    return this.#repositories.use(repository, async () => {
      throw new RepositoryGone()
    })
  }

  read(_repository: string, _oids: readonly string[], _maxBytes: number): Promise<(StoredObject | undefined)[]> {
    throw unwritten(this.#database)
  }

  readDeflated(
    _repository: string,
    _oids: readonly string[],
    _maxBytes: number
  ): Promise<(DeflatedBlob | undefined)[]> {
    throw unwritten(this.#repositories)
  }

  infos(_repository: string, _oids: readonly string[]): Promise<(ObjectInfo | undefined)[]> {
    throw unwritten(this.#repositories)
  }
}
