/** Request keys as rows. */
import type { KeyedRequest, RememberedOutcome } from '../store.ts'
import type { Database } from './database/database.ts'
import type { Repositories } from './repositories.ts'
import { unwritten } from './unwritten.ts'

export class Requests {
  readonly seconds: number = 7 * 24 * 3600
  readonly #database: Database
  readonly #repositories: Repositories

  constructor(database: Database, repositories: Repositories) {
    this.#database = database
    this.#repositories = repositories
  }

  recall(_repository: string, _key: string): Promise<RememberedOutcome | undefined> {
    throw unwritten(this.#database)
  }

  remember(_repository: string, _requests: readonly KeyedRequest[]): Promise<void> {
    throw unwritten(this.#repositories)
  }
}
