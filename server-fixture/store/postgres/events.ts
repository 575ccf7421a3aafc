/** Events as rows: what other servers moved is seen by looking. */
import type { EventCursor, EventPage, EventRequest } from '../events.ts'
import { EventListeners } from '../events.ts'
import type { Database } from './database/database.ts'
import type { Repositories } from './repositories.ts'
import { unwritten } from './unwritten.ts'

export class Events {
  readonly pollMs: number = 200
  readonly listeners: EventListeners = new EventListeners()
  readonly #database: Database
  readonly #repositories: Repositories

  constructor(database: Database, repositories: Repositories) {
    this.#database = database
    this.#repositories = repositories
  }

  read(_repository: string, _request: EventRequest): Promise<EventPage> {
    throw unwritten(this.#database)
  }

  oldest(_repository: string): Promise<EventCursor> {
    throw unwritten(this.#repositories)
  }
}
