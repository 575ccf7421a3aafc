/** Finds connections on which nothing comes any more: a network that goes silent tells nobody. */
import type { Clock } from '../../../../src/core/clock.ts'
import type { Connection } from './connection.ts'
import { LostConnection } from './database-failure.ts'
import type { DatabaseEndpoint } from './database-url.ts'
import type { Endpoints } from './endpoints.ts'

/** Looks without a byte, after which the server is asked on a new connection whether it can be reached. */
const suspiciousLooks = 2
/** Looks without a byte, after which the connection counts as lost: the database ends a statement before that. */
const mostLooks = 12

export interface SilenceOptions {
  readonly endpoints: Endpoints
  readonly clock: Clock
  readonly lookMs: number
  /** All that are open. */
  readonly connections: () => Iterable<Connection>
}

export class SilenceWatch {
  readonly #options: SilenceOptions
  readonly #asked = new Set<DatabaseEndpoint>()
  #cancelTimer: () => void

  constructor(options: SilenceOptions) {
    this.#options = options
    this.#cancelTimer = this.#schedule()
  }

  stop(): void {
    this.#cancelTimer()
  }

  #schedule(): () => void {
    const { clock, lookMs } = this.#options
    return clock.schedule(lookMs, () => {
      for (const connection of this.#options.connections()) {
        const looks = connection.look()
        if (looks >= mostLooks) this.#giveUp(connection)
        else if (looks >= suspiciousLooks) void this.#ask(connection.endpoint)
      }
      this.#cancelTimer = this.#schedule()
    })
  }

  /** The server can be reached, and does not answer: a primary without its standby, or one that another has replaced. */
  #giveUp(connection: Connection): void {
    this.#options.endpoints.leave(connection.endpoint)
    connection.fail('the database does not answer')
  }

  async #ask(endpoint: DatabaseEndpoint): Promise<void> {
    if (this.#asked.has(endpoint)) return
    this.#asked.add(endpoint)
    try {
      await this.#options.endpoints.probe(endpoint)
    } catch (error) {
      if (!(error instanceof LostConnection)) return
      for (const connection of this.#options.connections()) {
        if (connection.endpoint === endpoint && connection.silentLooks >= suspiciousLooks)
          connection.fail(error.message)
      }
    } finally {
      this.#asked.delete(endpoint)
    }
  }
}
