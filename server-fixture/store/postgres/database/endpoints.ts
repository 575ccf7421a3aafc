/** The servers of a database: which of them answers. */
import { type Clock, systemClock } from '../../../../src/core/clock.ts'
import { Connection } from './connection.ts'
import type { DatabaseEndpoint } from './database-url.ts'
import type { ServerFacts } from './session.ts'

/** A server that does not answer by then no longer keeps the next one from being asked, too. */
const staggerMs = 250
const defaultConnectTimeoutMs = 2000

export interface EndpointsOptions {
  readonly clock?: Clock | undefined
  /**
   * Time to connect to a server and to set up the session.
   *
   * @default 2000
   */
  readonly connectTimeoutMs?: number | undefined
  /** Connections are opened at another server than before, or for the first time, or again. */
  readonly onServer?: ((name: string, server: ServerFacts) => void) | undefined
  /** No server can be used; called once, until one can. */
  readonly onNoServer?: ((failure: Error) => void) | undefined
}

/** Opens connections at the server that answered last, or at the first of those behind it that does. */
export class Endpoints {
  readonly #endpoints: readonly DatabaseEndpoint[]
  readonly #options: EndpointsOptions
  readonly #clock: Clock
  readonly #connectTimeoutMs: number
  #current = 0
  /** The current one answered. */
  #isKnown = false
  /** When the servers were found not to answer; undefined = one does, as far as is known. */
  awaySinceMs: number | undefined
  /** Connections so far. */
  opened = 0
  /** Of them, those that ended without being told to. */
  losses = 0

  constructor(endpoints: readonly DatabaseEndpoint[], options: EndpointsOptions = {}) {
    this.#endpoints = endpoints
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#connectTimeoutMs = options.connectTimeoutMs ?? defaultConnectTimeoutMs
  }

  get current(): DatabaseEndpoint {
    return this.#endpoints[this.#current] as DatabaseEndpoint
  }

  /** The next connections are opened elsewhere, if possible. */
  leave(endpoint: DatabaseEndpoint): void {
    this.losses++
    if (endpoint !== this.current) return
    this.#current = (this.#current + 1) % this.#endpoints.length
    this.#isKnown = false
  }

  /**
   * Asks each server once, those that come later only where the earlier ones fail or are slow.
   *
   * @throws the failures, in the order in which they came
   */
  open(onEnd: (connection: Connection) => void): Promise<Connection> {
    const order = this.#endpoints.map((_, index) => (this.#current + index) % this.#endpoints.length)
    const failures: unknown[] = []
    return new Promise((resolve, reject) => {
      let isDone = false
      let cancelTimer = () => {}
      const askNext = () => {
        cancelTimer()
        const index = order.shift()
        if (isDone || index === undefined) return
        if (order.length > 0) cancelTimer = this.#clock.schedule(staggerMs, askNext)
        this.#openAt(this.#endpoints[index] as DatabaseEndpoint, onEnd).then(
          (connection) => {
            if (isDone) return void connection.end()
            isDone = true
            cancelTimer()
            this.#found(index, connection)
            resolve(connection)
          },
          (error) => {
            failures.push(error)
            if (failures.length < this.#endpoints.length) return askNext()
            this.#foundNone(failures[0] as Error)
            reject(failures)
          }
        )
      }
      askNext()
    })
  }

  /** @throws as `Connection.open` */
  async probe(endpoint: DatabaseEndpoint): Promise<void> {
    const connection = await this.#openAt(endpoint, () => undefined)
    await connection.end()
  }

  #openAt(endpoint: DatabaseEndpoint, onEnd: (connection: Connection) => void): Promise<Connection> {
    return Connection.open(endpoint, { clock: this.#clock, connectTimeoutMs: this.#connectTimeoutMs, onEnd })
  }

  #foundNone(failure: Error): void {
    if (this.awaySinceMs === undefined) this.#options.onNoServer?.(failure)
    this.awaySinceMs ??= this.#clock.now()
    this.#isKnown = false
  }

  #found(index: number, connection: Connection): void {
    this.opened++
    if (this.#isKnown && index === this.#current) return
    this.#current = index
    this.#isKnown = true
    this.awaySinceMs = undefined
    this.#options.onServer?.(connection.endpoint.name, connection.server)
  }
}
