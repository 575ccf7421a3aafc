/** How far the events of each repository have gone into the outbox of the webhooks. */
import { DatabaseSync } from 'node:sqlite'
import type { EventCursor } from '../store/events.ts'

/** Places by repository. */
export interface PushCursors {
  /** Nothing was kept before: events that are there already are none of this server's. */
  readonly isNew: boolean
  get(repository: string): EventCursor | undefined
  set(repository: string, cursor: EventCursor): void
  delete(repository: string): void
  /** The present places of all repositories are kept. */
  begun(): void
  /** Repositories with something to read, in stores that tell it at once; stores without it are asked for each one. */
  moved?(): Promise<string[]>
  /** How often `moved` is asked, in milliseconds; that of the store otherwise. */
  readonly pollMs?: number
  close(): Promise<void> | void
}

class MemoryCursors implements PushCursors {
  readonly isNew = true
  readonly #cursors = new Map<string, EventCursor>()

  get(repository: string): EventCursor | undefined {
    return this.#cursors.get(repository)
  }

  set(repository: string, cursor: EventCursor): void {
    this.#cursors.set(repository, cursor)
  }

  delete(repository: string): void {
    this.#cursors.delete(repository)
  }

  begun(): void {}

  close(): void {}
}

/** A place is written after the deliveries of its events: a crash in between repeats them, under the same ids. */
class FileCursors implements PushCursors {
  readonly #database: DatabaseSync
  readonly isNew: boolean

  constructor(file: string) {
    this.#database = new DatabaseSync(file)
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;
      CREATE TABLE IF NOT EXISTS push_cursors (repository TEXT PRIMARY KEY, incarnation TEXT NOT NULL, sequence INTEGER NOT NULL)
        WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS push_state (begun INTEGER NOT NULL)`)
    this.isNew = this.#database.prepare('SELECT 1 FROM push_state').get() === undefined
  }

  get(repository: string): EventCursor | undefined {
    const statement = this.#database.prepare('SELECT incarnation, sequence FROM push_cursors WHERE repository = ?')
    const row = statement.get(repository)
    return row && { incarnation: row['incarnation'] as string, sequence: row['sequence'] as number }
  }

  set(repository: string, { incarnation, sequence }: EventCursor): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO push_cursors VALUES (?, ?, ?)')
      .run(repository, incarnation, sequence)
  }

  delete(repository: string): void {
    this.#database.prepare('DELETE FROM push_cursors WHERE repository = ?').run(repository)
  }

  begun(): void {
    if (this.isNew) this.#database.prepare('INSERT INTO push_state VALUES (1)').run()
  }

  close(): void {
    this.#database.close()
  }
}

/** In this file, or in memory. */
export function openCursors(file: string | undefined): PushCursors {
  return file === undefined ? new MemoryCursors() : new FileCursors(file)
}
