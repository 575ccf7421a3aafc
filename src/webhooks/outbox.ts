/** The outbox: deliveries that wait for their attempts, and dead letters. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { BlobwireError } from '../core/error.ts'
import type { ResolvedOutboxOptions } from './options.ts'
import { openDatabase, pending, pragma, told, untold } from './outbox-schema.ts'
import { claimSql, insertSql } from './outbox-sql.ts'

/** A webhook for one or more destinations. */
export interface NewMessage {
  readonly id: string
  readonly type: string
  readonly contentType: string
  readonly body: Uint8Array
  readonly orderingKey: string | undefined
  readonly destinations: readonly string[]
  readonly sentAtMs: number
  readonly expiresAtMs: number
}

/** The destinations of a webhook in the outbox, by the state of its deliveries. */
export interface InsertedMessage {
  readonly pending: readonly string[]
  /** Too many deliveries wait for these destinations. */
  readonly dead: readonly string[]
}

/** The failure of the last attempt, as the outbox keeps it. */
export interface StoredError {
  readonly code: string
  readonly reason: string
  readonly message: string
  readonly status?: number | undefined
}

/** A delivery or dead letter with its webhook. */
export interface StoredDelivery {
  readonly sequence: number
  readonly id: string
  readonly type: string
  readonly contentType: string
  readonly body: Uint8Array
  readonly destination: string
  /** Tells this lease from later ones. */
  readonly claims: number
  /** Attempts that have ended. */
  readonly attempts: number
  readonly sentAtMs: number
  readonly deadAtMs: number
  readonly error: StoredError | undefined
}

/** Counts of one destination. */
export interface QueueCounts {
  readonly pending: number
  readonly dead: number
}

const full: StoredError = {
  code: 'resource_exhausted',
  reason: 'queue_full',
  message: 'too many deliveries wait for the destination (outbox.maxPending)'
}
const expired: StoredError = {
  code: 'deadline_exceeded',
  reason: 'webhook_expired',
  message: 'not delivered within expiresAfterMs'
}

/** Deliveries at a time that a sweep expires: it must not hold the event loop. */
const sweepCount = 500

/** Every method is one transaction. Times are those of the machine's clock, which processes share. */
export class Outbox {
  readonly #options: ResolvedOutboxOptions
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(options: ResolvedOutboxOptions) {
    this.#options = options
    this.#database = openDatabase(options.file)
  }

  /**
   * Adds webhooks; when this returns, they are on the disk. Deliveries that are in the outbox already stay as they are.
   * @throws BlobwireError `resource_exhausted`, reason `queue_full`; errors of SQLite
   */
  insert(messages: readonly NewMessage[]): readonly InsertedMessage[] {
    this.#checkSize()
    // The only write that has to survive a loss of power: of the others, deliveries are repeated.
    this.#database.exec('PRAGMA synchronous = FULL')
    try {
      return this.#transact(() => messages.map((message) => this.#insertOne(message)))
    } finally {
      this.#database.exec('PRAGMA synchronous = NORMAL')
    }
  }

  /** Leases deliveries that are due, those that are due for longest first. */
  claim(destination: string, count: number, { nowMs, leaseEndsAtMs }: Lease): readonly StoredDelivery[] {
    return this.#readAll(this.#run(claimSql).all(leaseEndsAtMs, destination, nowMs, count))
  }

  /** The delivery arrived. False = another process has taken it over meanwhile. */
  remove({ sequence, claims }: StoredDelivery): boolean {
    const sql = `DELETE FROM deliveries WHERE sequence = ? AND claims = ? AND state = ${pending}`
    return this.#run(sql).run(sequence, claims).changes > 0
  }

  /** The next attempt is due at `readyAtMs`. Without an error, no attempt has ended: the lease alone does. */
  postpone({ sequence, claims, attempts }: StoredDelivery, readyAtMs: number, error?: StoredError): boolean {
    const sql = `UPDATE deliveries SET leased = 0, attempts = ?, ready_at = ?, error = coalesce(?, error)
      WHERE sequence = ? AND claims = ? AND state = ${pending}`
    const made = attempts + (error ? 1 : 0)
    return this.#run(sql).run(made, readyAtMs, jsonOf(error), sequence, claims).changes > 0
  }

  /** The delivery becomes a dead letter. */
  bury({ sequence, claims, attempts }: StoredDelivery, error: StoredError, nowMs: number): boolean {
    const sql = `UPDATE deliveries SET state = ${untold}, leased = 0, attempts = ?, ready_at = ?, dead_at = ?, error = ?
      WHERE sequence = ? AND claims = ? AND state = ${pending}`
    return this.#run(sql).run(attempts + 1, nowMs, nowMs, jsonOf(error), sequence, claims).changes > 0
  }

  /** Makes dead letters of all deliveries: the outbox ends with the process. */
  buryAll(error: StoredError, nowMs: number): readonly StoredDelivery[] {
    const sql = `UPDATE deliveries SET state = ${untold}, leased = 0, ready_at = :now, dead_at = :now, error = :error
      WHERE state = ${pending} RETURNING sequence`
    return this.#readAll(this.#run(sql).all({ now: nowMs, error: jsonOf(error) }))
  }

  /**
   * Makes dead letters of deliveries whose time is over, and drops the oldest dead letters beyond the bound; with
   * `keepsUntold`, none of which the application is still to be told. Returns the new ones.
   */
  sweep(nowMs: number, keepsUntold = false): readonly StoredDelivery[] {
    const expiring = `UPDATE deliveries SET state = ${untold}, leased = 0, ready_at = :now, dead_at = :now, error = :error
      WHERE sequence IN (SELECT sequence FROM deliveries
        WHERE state = ${pending} AND expires_at <= :now AND (leased = 0 OR ready_at <= :now) LIMIT ${sweepCount})
      RETURNING sequence`
    const dead = this.#readAll(this.#run(expiring).all({ now: nowMs, error: jsonOf(expired) }))
    const row = this.#run('SELECT coalesce(sum(dead), 0) AS dead FROM queues').get()
    const excess = Number(row?.['dead']) - this.#options.maxDeadLetters
    if (excess <= 0) return dead
    const dropping = `DELETE FROM deliveries WHERE sequence IN (
      SELECT sequence FROM deliveries WHERE state >= ${keepsUntold ? told : untold} ORDER BY state DESC, sequence LIMIT ?)`
    this.#run(dropping).run(Math.min(excess, sweepCount))
    return dead
  }

  /** Leases dead letters of which the application has not been told. */
  claimUntold(count: number, { nowMs, leaseEndsAtMs }: Lease): readonly StoredDelivery[] {
    const sql = `UPDATE deliveries SET claims = claims + 1, ready_at = ? WHERE sequence IN (
      SELECT sequence FROM deliveries WHERE state = ${untold} AND ready_at <= ? ORDER BY sequence LIMIT ?)
      RETURNING sequence`
    return this.#readAll(this.#run(sql).all(leaseEndsAtMs, nowMs, count))
  }

  /** The application has been told, or is to be told again at `againAtMs`. */
  setTold({ sequence, claims }: StoredDelivery, againAtMs?: number): void {
    const state = againAtMs === undefined ? told : untold
    const sql = `UPDATE deliveries SET state = ?, ready_at = ? WHERE sequence = ? AND claims = ? AND state = ${untold}`
    this.#run(sql).run(state, againAtMs ?? 0, sequence, claims)
  }

  /** Dead letters after a number, oldest first. */
  deadLetters(destination: string | undefined, after: number, limit: number): readonly StoredDelivery[] {
    const sql = `SELECT sequence FROM deliveries WHERE state <> ${pending} AND sequence > :after
      AND (:destination IS NULL OR destination = :destination) ORDER BY sequence LIMIT :limit`
    return this.#readAll(this.#run(sql).all({ after, destination: destination ?? null, limit }))
  }

  /** Makes a dead letter a delivery again. It is no longer ordered: later ones of its key may have arrived. */
  revive(sequence: number, nowMs: number, expiresAtMs: number): string | undefined {
    const sql = `UPDATE deliveries SET state = ${pending}, attempts = 0, claims = claims + 1, ordering_key = NULL,
      ready_at = ?, expires_at = ?, dead_at = NULL WHERE sequence = ? AND state <> ${pending} RETURNING destination`
    return this.#run(sql).get(nowMs, expiresAtMs, sequence)?.['destination'] as string | undefined
  }

  /** Removes a dead letter. */
  discard(sequence: number): boolean {
    const sql = `DELETE FROM deliveries WHERE sequence = ? AND state <> ${pending}`
    return this.#run(sql).run(sequence).changes > 0
  }

  /** When the next delivery is due, or a lease ends; undefined = none waits. */
  dueAtMs(destination: string): number | undefined {
    const sql = `SELECT min(ready_at) AS at FROM deliveries WHERE destination = ? AND state = ${pending}`
    const at = this.#run(sql).get(destination)?.['at']
    return typeof at === 'number' ? at : undefined
  }

  /** The delivery or dead letter of a webhook to a destination. */
  find(id: string, destination: string): StoredDelivery | undefined {
    const sql = 'SELECT sequence FROM deliveries WHERE message = ? AND destination = ?'
    const row = this.#run(sql).get(id, destination)
    return row === undefined ? undefined : this.#read(Number(row['sequence']))
  }

  /** Counts by destination. */
  counts(): ReadonlyMap<string, QueueCounts> {
    const rows = this.#run('SELECT * FROM queues WHERE pending > 0 OR dead > 0').all()
    return new Map(
      rows.map((row) => [String(row['destination']), { pending: Number(row['pending']), dead: Number(row['dead']) }])
    )
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  #insertOne(message: NewMessage): InsertedMessage {
    const { id, type, contentType, body, orderingKey, sentAtMs, expiresAtMs } = message
    this.#run(insertSql.message).run(id, type, contentType, body, sentAtMs)
    const inserted: { pending: string[]; dead: string[] } = { pending: [], dead: [] }
    for (const destination of message.destinations) {
      const queue = this.#run('SELECT pending FROM queues WHERE destination = ?').get(destination)
      const isFull = Number(queue?.['pending'] ?? 0) >= this.#options.maxPending
      const row = { id, destination, key: orderingKey ?? null, now: sentAtMs, expires: expiresAtMs }
      const { changes } = isFull
        ? this.#run(insertSql.dead).run({ ...row, error: jsonOf(full) })
        : this.#run(insertSql.delivery).run(row)
      const isDead = changes > 0 ? isFull : this.#isDead(id, destination)
      inserted[isDead ? 'dead' : 'pending'].push(destination)
    }
    return inserted
  }

  /** Of a delivery that was in the outbox before. */
  #isDead(id: string, destination: string): boolean {
    const sql = 'SELECT state FROM deliveries WHERE message = ? AND destination = ?'
    return this.#run(sql).get(id, destination)?.['state'] !== pending
  }

  #checkSize(): void {
    const pages = pragma(this.#database, 'page_count') - pragma(this.#database, 'freelist_count')
    if (pages * pragma(this.#database, 'page_size') < this.#options.maxBytes) return
    const message = `the outbox holds ${this.#options.maxBytes} bytes (outbox.maxBytes)`
    throw new BlobwireError({ reason: 'queue_full', message })
  }

  /** By their sequence: an update returns its rows in no order. */
  #readAll(rows: readonly Record<string, unknown>[]): readonly StoredDelivery[] {
    const sequences = rows.map((row) => Number(row['sequence'])).sort((one, other) => one - other)
    return sequences.map((sequence) => this.#read(sequence)).filter((delivery) => delivery !== undefined)
  }

  #read(sequence: number): StoredDelivery | undefined {
    const sql = 'SELECT * FROM deliveries JOIN messages ON messages.id = message WHERE sequence = ?'
    const row = this.#run(sql).get(sequence)
    if (row === undefined) return undefined
    return {
      sequence,
      id: String(row['id']),
      type: String(row['type']),
      contentType: String(row['content_type']),
      body: row['body'] as Uint8Array,
      destination: String(row['destination']),
      claims: Number(row['claims']),
      attempts: Number(row['attempts']),
      sentAtMs: Number(row['sent_at']),
      deadAtMs: Number(row['dead_at']),
      error: typeof row['error'] === 'string' ? (JSON.parse(row['error']) as StoredError) : undefined
    }
  }

  #run(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #transact<Result>(work: () => Result): Result {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
  }
}

/** The time of a lease. */
export interface Lease {
  readonly nowMs: number
  readonly leaseEndsAtMs: number
}

const jsonOf = (error: StoredError | undefined) => (error === undefined ? null : JSON.stringify(error))
