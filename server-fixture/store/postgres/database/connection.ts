/** One connection to a database, on which statements are sent without waiting for the answers of those before. */
import { Socket } from 'node:net'
import pg from 'pg'
import type { Clock } from '../../../../src/core/clock.ts'
import type { Row, Statement } from './database.ts'
import { isDatabaseError, LostConnection } from './database-failure.ts'
import type { DatabaseEndpoint } from './database-url.ts'
import { checkServer, entryRefusal, type ServerFacts, sessionStatement, UnfitDatabase } from './session.ts'

const keepAliveMs = 10_000

export interface OpeningOptions {
  readonly clock: Clock
  /** Time to connect and to set up the session. */
  readonly connectTimeoutMs: number
  /** Called once after the connection was opened. */
  readonly onEnd: (connection: Connection) => void
}

/** Rows, and the command that the database says it carried out. */
export interface Answer<R extends object = Row> {
  readonly rows: R[]
  readonly command: string
}

export class Connection {
  readonly endpoint: DatabaseEndpoint
  readonly #client: pg.Client
  readonly #socket: Socket
  readonly #onEnd: (connection: Connection) => void
  #isReady = false
  #isOpen = true
  /** Why answers that come from now on are not passed on: the driver reads to the end what it has. */
  #distrust: Error | undefined
  #inFlight = 0
  #server: ServerFacts | undefined
  /** At the last look. */
  #bytesRead = 0
  #silentLooks = 0

  private constructor(endpoint: DatabaseEndpoint, onEnd: (connection: Connection) => void) {
    this.endpoint = endpoint
    this.#onEnd = onEnd
    this.#socket = new Socket()
    this.#client = new pg.Client({
      ...endpoint.config,
      stream: () => this.#socket,
      pipeline: true,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs
    })
    this.#client.on('error', () => this.#ended())
    this.#client.on('end', () => this.#ended())
    // A commit that no longer waits for its standby is acknowledged all the same, with this notice before the answer.
    this.#client.on('notice', ({ routine }) => {
      if (routine !== 'SyncRepWaitForLSN') return
      this.#distrust = new Error('a commit did not reach the synchronous standby')
      this.#socket.destroy(this.#distrust)
    })
  }

  /**
   * Connects, and sets up the session.
   *
   * @throws UnfitDatabase, `LostConnection` or the error of the database
   */
  static async open(endpoint: DatabaseEndpoint, options: OpeningOptions): Promise<Connection> {
    const { clock, connectTimeoutMs, onEnd } = options
    const connection = new Connection(endpoint, onEnd)
    const cancelTimer = clock.schedule(connectTimeoutMs, () => {
      connection.fail(`no answer within ${connectTimeoutMs} ms`)
    })
    try {
      await connection.#client.connect()
      const { rows } = await connection.ask(sessionStatement)
      connection.#server = checkServer(endpoint.name, rows[0] as Row)
      connection.#isReady = true
      return connection
    } catch (error) {
      connection.#socket.destroy()
      const refusal = entryRefusal(endpoint.name, error)
      if (refusal) throw refusal
      throw isDatabaseError(error) || error instanceof UnfitDatabase ? error : connection.#lost(error)
    } finally {
      cancelTimer()
    }
  }

  get server(): ServerFacts {
    return this.#server as ServerFacts
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Statements that were sent and not answered. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Sends a statement at once. @throws `LostConnection`, the error of the database or of a value */
  ask<R extends object = Row>({ name, text, values }: Statement): Promise<Answer<R>> {
    return new Promise((resolve, reject) => {
      this.#inFlight++
      let isWaiting = true
      // Of a text: the driver copies configurations property by property.
      const query = new pg.Query<R, unknown[]>(text, values as unknown[], (error, result) => {
        // A value that cannot be sent is answered twice: by its error, and by the end of what was sent.
        if (!isWaiting) return
        isWaiting = false
        this.#inFlight--
        if (this.#distrust) reject(this.#lost(this.#distrust))
        else if (!error) resolve(result)
        else reject(isDatabaseError(error) || this.#isOpen ? error : this.#lost(error))
      })
      if (name !== '') Object.assign(query, { name })
      this.#client.query(query)
    })
  }

  /** Looks in a row, to be made every so often, between which nothing came although statements wait. */
  get silentLooks(): number {
    return this.#silentLooks
  }

  /** @returns `silentLooks` */
  look(): number {
    const { bytesRead } = this.#socket
    this.#silentLooks = this.#inFlight > 0 && bytesRead === this.#bytesRead ? this.#silentLooks + 1 : 0
    this.#bytesRead = bytesRead
    return this.#silentLooks
  }

  /** Breaks the connection: the statements that wait fail. */
  fail(why: string): void {
    this.#socket.destroy(new Error(why))
  }

  /** Ends when what was sent is answered. */
  async end(): Promise<void> {
    await this.#client.end()
  }

  #lost(cause: unknown): LostConnection {
    return cause instanceof LostConnection ? cause : new LostConnection(this.endpoint.name, cause)
  }

  #ended(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    if (this.#isReady) this.#onEnd(this)
  }
}
