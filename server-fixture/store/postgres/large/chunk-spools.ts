/** Uploads as rows of chunks. */
import type { ObjectContent } from '../../large-content.ts'
import type { Spool, SpoolStore, UploadRecord } from '../../uploads/spool.ts'
import type { Database } from '../database/database.ts'
import type { Repositories } from '../repositories.ts'
import { unwritten } from '../unwritten.ts'

export class ChunkSpools implements SpoolStore {
  readonly #database: Database
  readonly #repositories: Repositories

  constructor(database: Database, repositories: Repositories) {
    this.#database = database
    this.#repositories = repositories
  }

  list(): Promise<UploadRecord[]> {
    throw unwritten(this.#database)
  }

  find(_repository: string, _id: string): Promise<UploadRecord | undefined> {
    throw unwritten(this.#database)
  }

  open(_repository: string, _id: string, _size: number | undefined): Promise<Spool> {
    throw unwritten(this.#repositories)
  }

  remove(_repository: string, _id: string): Promise<void> {
    throw unwritten(this.#repositories)
  }

  openObject(_repository: string, _oid: string): Promise<ObjectContent | undefined> {
    throw unwritten(this.#repositories)
  }
}
