/**
 * A database of several servers, over connections by kind: reads do not wait behind the sync of a write, nor either
 * behind the locks of a transaction.
 */
import { type Clock, systemClock } from '../../../../src/core/clock.ts'
import { BlobwireError } from '../../../../src/core/error.ts'
import type { Histogram } from '../../../metrics/histogram.ts'
import type { DatabaseFigures } from '../../../metrics/snapshot.ts'
import { pauseCall, sleep, withJitter } from './back-off.ts'
import { Channel } from './channel.ts'
import type { Connection } from './connection.ts'
import type { Database, Row, Statement, Transaction } from './database.ts'
import { failureKind, storeError } from './database-failure.ts'
import { readDatabaseUrl } from './database-url.ts'
import { Endpoints, type EndpointsOptions } from './endpoints.ts'
import { DatabaseSteps } from './figures.ts'
import { bytesOf, type HeldBounds, HeldCalls } from './held-calls.ts'
import { Retries } from './retries.ts'
import { UnfitDatabase } from './session.ts'
import { SilenceWatch } from './silence.ts'
import { carryOut, sendWhole } from './transactions.ts'

/** Connections of each kind, at most. */
const connections = { read: 2, write: 2, whole: 2, transaction: 4 } as const
const defaultHoldMs = 30_000
const defaultHeld: HeldBounds = { calls: 10_000, bytes: 64 * 1024 * 1024 }
const defaultLookMs = 1000
/** Time after which a call counts as held, when the health of the store is looked at. */
const checkMs = 500
const plainStatement: Statement = { name: '', text: 'SELECT 1', values: [] }

/** Options of `PipelinedDatabase.open`. */
export interface DatabaseOptions extends EndpointsOptions {
  /** Standbys of one primary, or entry points of one cluster: `postgres://user@host:port/database`. */
  readonly urls: readonly string[]
  /** Password of URLs without one; called for each connection. */
  readonly password?: (() => Promise<string | undefined>) | undefined
  /**
   * Time that a call is held at most while no server of the database answers, and that the start waits.
   *
   * @default 30_000
   */
  readonly holdMs?: number | undefined
  /** @default 10_000 calls of 64 MiB together */
  readonly held?: HeldBounds | undefined
  /**
   * Time between two looks whether anything comes on connections whose statements wait: after two without, the server is
   * asked on a new connection; after twelve, the connection is given up.
   *
   * @default 1000
   */
  readonly lookMs?: number | undefined
}

type Kind = keyof typeof connections

export class PipelinedDatabase implements Database {
  readonly #clock: Clock
  readonly #holdMs: number
  readonly #endpoints: Endpoints
  readonly #channels: Readonly<Record<Kind, Channel>>
  readonly #held: HeldCalls
  readonly #retries: Retries
  readonly #silence: SilenceWatch
  readonly #steps = new DatabaseSteps()
  readonly steps: Readonly<Record<string, Histogram>> = this.#steps.byName()

  private constructor(endpoints: Endpoints, options: DatabaseOptions) {
    const { clock = systemClock } = options
    this.#clock = clock
    this.#holdMs = options.holdMs ?? defaultHoldMs
    this.#endpoints = endpoints
    this.#held = new HeldCalls(options.held ?? defaultHeld)
    this.#retries = new Retries(clock)
    const channel = (kind: Kind) =>
      new Channel({
        endpoints,
        clock,
        held: this.#held,
        most: connections[kind],
        isExclusive: kind === 'transaction'
      })
    this.#channels = {
      read: channel('read'),
      write: channel('write'),
      whole: channel('whole'),
      transaction: channel('transaction')
    }
    const lookMs = options.lookMs ?? defaultLookMs
    this.#silence = new SilenceWatch({ endpoints, clock, lookMs, connections: () => this.#connections() })
  }

  /**
   * Connects to the first server that can be used.
   *
   * @throws `failed_precondition`, reason `database_refused`, or `unavailable`, reason `database_unavailable`
   */
  static async open(options: DatabaseOptions): Promise<PipelinedDatabase> {
    const { urls, password } = options
    const endpoints = await Promise.all(urls.map((url) => readDatabaseUrl(url, password)))
    const database = new PipelinedDatabase(new Endpoints(endpoints, options), options)
    try {
      await database.#start()
      return database
    } catch (error) {
      await database.close()
      throw error
    }
  }

  get losses(): number {
    return this.#endpoints.losses
  }

  read<R extends object = Row>(statement: Statement): Promise<R[]> {
    return this.#single<R>('read', statement)
  }

  write<R extends object = Row>(statement: Statement): Promise<R[]> {
    return this.#single<R>('write', statement)
  }

  whole(
    given: readonly Statement[] | (() => readonly Statement[]),
    large: readonly Statement[] = []
  ): Promise<Row[][]> {
    return this.#timed('whole', async () => {
      const connection = await this.#connection('whole', large)
      const statements = typeof given === 'function' ? given() : given
      return this.#noticing(connection, sendWhole(connection, statements))
    })
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T> | T): Promise<T> {
    return this.#timed('transaction', async () => {
      const connection = await this.#connection('transaction', [])
      try {
        return await this.#noticing(connection, carryOut(connection, work))
      } finally {
        this.#channels.transaction.release(connection)
      }
    })
  }

  /** Rejects where no server has answered for longer than calls are held. */
  async check(): Promise<void> {
    const isAnswered = this.read(plainStatement).then(
      () => true,
      () => false
    )
    if (await Promise.race([isAnswered, sleep(this.#clock, checkMs).then(() => false)])) return
    const { awaySinceMs } = this.#endpoints
    if (awaySinceMs === undefined || this.#clock.now() - awaySinceMs < this.#holdMs) return
    const message = `no server of the database has answered for ${this.#holdMs} ms`
    throw new BlobwireError({ reason: 'database_unavailable', message })
  }

  figures(): DatabaseFigures {
    return {
      open: [...this.#connections()].length,
      opened: this.#endpoints.opened,
      retries: this.#retries.count,
      heldCalls: this.#held.calls,
      heldBytes: this.#held.bytes
    }
  }

  async close(): Promise<void> {
    this.#silence.stop()
    await Promise.all(Object.values(this.#channels).map((channel) => channel.close()))
  }

  async #timed<T>(kind: Kind, attempt: () => Promise<T>): Promise<T> {
    const startMs = performance.now()
    const result = await this.#retries.run(attempt)
    this.#steps[kind].observe(performance.now() - startMs)
    return result
  }

  #single<R extends object>(kind: 'read' | 'write', statement: Statement): Promise<R[]> {
    return this.#timed(kind, async () => {
      const connection = await this.#connection(kind, [statement])
      const { rows } = await this.#noticing(connection, connection.ask<R>(statement))
      return rows
    })
  }

  #connection(kind: Kind, statements: readonly Statement[]): Connection | Promise<Connection> {
    const channel = this.#channels[kind]
    return channel.pick() ?? channel.wait(this.#clock.now() + this.#holdMs, bytesOf(statements))
  }

  /** Connections that are of no more use are used no more. */
  async #noticing<T>(connection: Connection, answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      const kind = failureKind(error)
      if (kind === 'stale') for (const channel of Object.values(this.#channels)) channel.retire(connection)
      if (kind === 'demoted') {
        this.#endpoints.leave(connection.endpoint)
        for (const channel of Object.values(this.#channels)) channel.retireAll(connection.endpoint)
      }
      throw error
    }
  }

  /** A database that is about to start, or to be promoted, is waited for. */
  async #start(): Promise<void> {
    const untilMs = this.#clock.now() + this.#holdMs
    for (;;) {
      try {
        return await this.#channels.read.open()
      } catch (failures) {
        const lasting = (failures as readonly unknown[]).find(
          (failure) => failure instanceof UnfitDatabase && !failure.isStandby
        )
        if (lasting !== undefined) throw storeError(lasting)
        if (this.#clock.now() >= untilMs) throw startError((failures as readonly unknown[])[0])
        await pauseCall(this.#clock, withJitter(200))
      }
    }
  }

  *#connections(): Iterable<Connection> {
    for (const { connections } of Object.values(this.#channels)) yield* connections
  }
}

/** Another start may find a standby promoted. */
function startError(cause: unknown): unknown {
  if (!(cause instanceof UnfitDatabase)) return storeError(cause)
  return new BlobwireError({ reason: 'database_unavailable', message: cause.message, cause })
}
