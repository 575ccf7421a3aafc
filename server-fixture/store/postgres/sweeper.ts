/**
 * Removes what is no longer needed, little by little: the rows of repositories that were deleted, and old request keys and
 * events. Every server sweeps; none has to wait for another one, because rows that are gone are no harm.
 */
import type { Clock } from '../../../src/core/clock.ts'
import { withJitter } from './database/back-off.ts'
import type { Database } from './database/database.ts'
import type { Events } from './events.ts'
import { deletedByKey, keySeconds } from './name-keys.ts'

/** Half to all of this time lies between two sweeps. */
const pauseMs = 60_000
/** A put that began before the deletion has ended by then: a statement has 10 s. */
const restSeconds = 60
/** Repositories of one sweep whose keys and events are looked at, and tombstones of one question. */
const pageNames = 100
/** Rows of one statement: locks are held for a moment. */
const rows = 5000
/** Their rows have up to 1 MiB each. */
const chunkRows = 100
/** Ids that this server remembers to have nothing but keys and events; about 8 MB. */
const maxEmptied = 100_000

/** Tables by repository, with their other key columns. */
const contentTables = [
  { table: 'objects', key: 'oid', most: rows },
  { table: 'refs', key: 'name', most: rows },
  { table: 'uploads', key: 'id', most: rows },
  { table: 'chunks', key: 'content_id, part', most: chunkRows }
] as const
const lastingTables = [
  { table: 'request_keys', key: 'key', most: rows },
  { table: 'events', key: 'sequence', most: rows }
] as const

interface Tombstone {
  readonly id: string
  readonly name: string
  readonly deleted_by: string
  readonly age: number
}

/** What a sweeper works on. */
interface SweeperContext {
  readonly database: Database
  readonly events: Pick<Events, 'sweep'>
  readonly clock: Clock
}

export class Sweeper {
  readonly #context: SweeperContext
  readonly #emptied = new Set<string>()
  /** Where the walk over all names goes on. */
  #afterName = ''
  #isClosed = false
  #sweeping: Promise<void> | undefined
  #cancel: () => void = () => undefined

  constructor(context: SweeperContext) {
    this.#context = context
  }

  /** Sweeps from time to time until it is closed. */
  start(): void {
    this.#cancel = this.#context.clock.schedule(withJitter(pauseMs), () => {
      // A database that does not answer now is asked again.
      this.#sweeping = this.sweep()
        .catch(() => undefined)
        .then(() => {
          if (!this.#isClosed) this.start()
        })
    })
  }

  /** Once. */
  async sweep(): Promise<void> {
    await this.#sweepTombstones()
    await this.#sweepNames()
    await this.#removeOldNameKeys()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.#sweeping
  }

  async #sweepTombstones(): Promise<void> {
    for (let after = '0'; !this.#isClosed; ) {
      const tombstones: Tombstone[] = await this.#context.database.read<Tombstone>({
        name: 'tombstones',
        text: `SELECT id, name, deleted_by, extract(epoch FROM now() - deleted_at)::float8 AS age FROM tombstones
          WHERE id > $1::bigint ORDER BY id LIMIT $2`,
        values: [after, pageNames]
      })
      for (const tombstone of tombstones) await this.#sweepRepository(tombstone)
      const last = tombstones.at(-1)
      if (last === undefined) return
      after = last.id
    }
  }

  async #sweepRepository({ id, name, deleted_by, age }: Tombstone): Promise<void> {
    if (age > restSeconds && !this.#emptied.has(id)) {
      for (const table of contentTables) await this.#empty(id, table)
      if (this.#emptied.size < maxEmptied) this.#emptied.add(id)
    }
    // Keys and events outlive the repository.
    if (age < keySeconds || this.#isClosed) return
    for (const table of lastingTables) await this.#empty(id, table)
    // Rows may be left, which nobody finds without the tombstone.
    if (this.#isClosed) return
    await this.#write(
      'settle deletion',
      'UPDATE name_keys SET is_intent = false WHERE name = $1 AND id = $2 AND $3 = $4 || key',
      [name, id, deleted_by, deletedByKey('')]
    )
    await this.#write('remove tombstone', 'DELETE FROM tombstones WHERE id = $1', [id])
    this.#emptied.delete(id)
  }

  async #empty(id: string, { table, key, most }: { table: string; key: string; most: number }): Promise<void> {
    const text = `DELETE FROM ${table} WHERE repository = $1 AND (${key}) IN
      (SELECT ${key} FROM ${table} WHERE repository = $1 ORDER BY ${key} LIMIT $2::int) RETURNING 1 AS removed`
    while (!this.#isClosed) {
      const removed = await this.#write(`empty ${table}`, text, [id, most])
      if (removed.length < most) return
    }
  }

  /** Old keys and events of some repositories: each sweep goes on where the one before ended. */
  async #sweepNames(): Promise<void> {
    const { database, events } = this.#context
    const names = await database.read<{ name: string; id: string }>({
      name: 'walk names',
      text: 'SELECT name, id FROM names WHERE name > $1 ORDER BY name LIMIT $2',
      values: [this.#afterName, pageNames]
    })
    this.#afterName = names.length < pageNames ? '' : (names.at(-1)?.name ?? '')
    for (const { id } of names) {
      if (this.#isClosed) return
      await this.#removeOldKeys(id)
      while (!this.#isClosed && (await events.sweep(id, keySeconds)));
    }
  }

  async #removeOldKeys(id: string): Promise<void> {
    const text = `DELETE FROM request_keys WHERE repository = $1 AND key IN
      (SELECT key FROM request_keys WHERE repository = $1 AND forget_after > '-infinity' AND forget_after < now()
        ORDER BY forget_after LIMIT $2::int) RETURNING 1 AS removed`
    while (!this.#isClosed && (await this.#write('remove old keys', text, [id, rows])).length === rows);
  }

  async #removeOldNameKeys(): Promise<void> {
    const text = `DELETE FROM name_keys WHERE (name, key) IN
      (SELECT name, key FROM name_keys WHERE forget_after < now() ORDER BY forget_after LIMIT $1::int) RETURNING 1 AS removed`
    while (!this.#isClosed && (await this.#write('remove old name keys', text, [rows])).length === rows);
  }

  #write(name: string, text: string, values: readonly unknown[]): Promise<unknown[]> {
    return this.#context.database.write({ name, text, values })
  }
}
