/** Refs as rows: reads, and moves with what is written down with them. */
import type { RefMismatch } from '../../../src/core/error.ts'
import type { MoveRecords, PageRequest, RefMove, RefsAt } from '../store.ts'
import type { Database } from './database/database.ts'
import type { Repositories } from './repositories.ts'
import { unwritten } from './unwritten.ts'

export class Refs {
  readonly #database: Database
  readonly #repositories: Repositories

  constructor(database: Database, repositories: Repositories) {
    this.#database = database
    this.#repositories = repositories
  }

  read(_repository: string, _names: readonly string[]): Promise<(string | undefined)[]> {
    throw unwritten(this.#database)
  }

  at(_repository: string, _page: PageRequest): Promise<RefsAt> {
    throw unwritten(this.#database)
  }

  move(_repository: string, _moves: readonly RefMove[], _records: MoveRecords): Promise<RefMismatch[]> {
    throw unwritten(this.#repositories)
  }
}
