/** The connections of one kind, opened as they are needed. */
import type { Clock } from '../../../../src/core/clock.ts'
import { BlobwireError } from '../../../../src/core/error.ts'
import { sleep, withJitter } from './back-off.ts'
import type { Connection } from './connection.ts'
import { LostConnection } from './database-failure.ts'
import type { DatabaseEndpoint } from './database-url.ts'
import type { Endpoints } from './endpoints.ts'
import type { HeldCalls } from './held-calls.ts'

const firstBackOffMs = 20
const mostBackOffMs = 500

export interface ChannelOptions {
  readonly endpoints: Endpoints
  readonly clock: Clock
  readonly held: HeldCalls
  /** Connections, at most. */
  readonly most: number
  /** A connection is given to one call at a time, which releases it. */
  readonly isExclusive?: boolean
}

interface Waiting {
  readonly bytes: number
  readonly connection: PromiseWithResolvers<Connection>
  readonly cancelTimer: () => void
}

export class Channel {
  readonly #options: ChannelOptions
  readonly #connections = new Set<Connection>()
  readonly #leased = new Set<Connection>()
  #waiting: Waiting[] = []
  #opening = 0
  #isClosed = false
  /** Why the last connection could not be opened. */
  #failure: unknown

  constructor(options: ChannelOptions) {
    this.#options = options
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections
  }

  /** The connection with the fewest statements in flight; undefined = call `wait`. */
  pick(): Connection | undefined {
    let best: Connection | undefined
    for (const connection of this.#connections) {
      if (this.#options.isExclusive && this.#leased.has(connection)) continue
      if (best === undefined || connection.inFlight < best.inFlight) best = connection
    }
    if (best === undefined || best.inFlight > 0) this.#openAnother()
    if (best && this.#options.isExclusive) this.#leased.add(best)
    return best
  }

  /** Waits for a connection that `pick` did not find, at most until then. @throws `unavailable` */
  wait(untilMs: number, bytes: number): Promise<Connection> {
    const { held, clock } = this.#options
    if (this.#isClosed) return Promise.reject(closed())
    if (!held.tryHold(bytes)) return Promise.reject(this.#unavailable('too many calls wait for it'))
    const connection = Promise.withResolvers<Connection>()
    const cancelTimer = clock.schedule(Math.max(0, untilMs - clock.now()), () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting)
      held.release(bytes)
      connection.reject(this.#unavailable('the call has waited too long'))
    })
    const waiting: Waiting = { bytes, connection, cancelTimer }
    this.#waiting.push(waiting)
    return connection.promise
  }

  /** Gives back a connection that one call had for itself. */
  release(connection: Connection): void {
    this.#leased.delete(connection)
    this.#admit()
  }

  /** Uses a connection no more; what was sent on it is answered. */
  retire(connection: Connection): void {
    if (this.#remove(connection)) void connection.end()
  }

  retireAll(endpoint: DatabaseEndpoint): void {
    for (const connection of this.#connections) if (connection.endpoint === endpoint) this.retire(connection)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const waiting of this.#waiting.splice(0)) this.#leave(waiting).reject(closed())
    await Promise.all(Array.from(this.#connections, (connection) => connection.end()))
  }

  /** Opens a connection, and tries until it succeeds or no call waits for it. @throws the failures of one round */
  async open(): Promise<void> {
    const connection = await this.#options.endpoints.open((ended) => {
      if (!this.#remove(ended)) return
      this.#options.endpoints.losses++
      if (this.#waiting.length > 0) this.#openAnother()
    })
    if (this.#isClosed) return connection.end()
    if (!connection.isOpen) throw [new LostConnection(connection.endpoint.name, new Error('it ended at once'))]
    this.#connections.add(connection)
    this.#admit()
  }

  #openAnother(): void {
    if (this.#isClosed || this.#connections.size + this.#opening >= this.#options.most) return
    this.#opening++
    void this.#keepOpening().finally(() => this.#opening--)
  }

  async #keepOpening(): Promise<void> {
    for (let backOffMs = firstBackOffMs; !this.#isClosed; backOffMs = Math.min(2 * backOffMs, mostBackOffMs)) {
      try {
        return await this.open()
      } catch (failures) {
        this.#failure = (failures as readonly unknown[])[0]
        if (this.#waiting.length === 0) return
        await sleep(this.#options.clock, withJitter(backOffMs))
      }
    }
  }

  /** Gives connections to those who wait, in the order in which they came. */
  #admit(): void {
    while (this.#waiting.length > 0) {
      const connection = this.pick()
      const [first] = this.#waiting
      if (connection === undefined || first === undefined) return
      this.#waiting.shift()
      this.#leave(first).resolve(connection)
    }
  }

  #leave({ bytes, connection, cancelTimer }: Waiting): PromiseWithResolvers<Connection> {
    cancelTimer()
    this.#options.held.release(bytes)
    return connection
  }

  #remove(connection: Connection): boolean {
    this.#leased.delete(connection)
    return this.#connections.delete(connection)
  }

  #unavailable(why: string): BlobwireError {
    const { name } = this.#options.endpoints.current
    const last = this.#failure === undefined ? '' : `: ${(this.#failure as Error).message}`
    const message = `the database ${name} has no connection for the call, and ${why}${last}`
    return new BlobwireError({ reason: 'database_unavailable', message, cause: this.#failure })
  }
}

function closed(): BlobwireError {
  return new BlobwireError({ reason: 'store_closed', message: 'the connections to the database are closed' })
}
