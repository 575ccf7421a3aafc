/** One connection to a database, on which statements are sent without waiting for the answers of those before. */
import { Socket } from 'node:net'
import pg from 'pg'
import type { Row, Statement } from './database.ts'
import { isDatabaseError, LostConnection } from './database-failure.ts'
import type { DatabaseEndpoint } from './database-url.ts'
import { checkServer, type ServerFacts, sessionStatement, UnfitDatabase } from './session.ts'

const connectTimeoutMs = 2000
const keepAliveMs = 10_000

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
  #inFlight = 0
  #server: ServerFacts | undefined
  /** At the last look of `noticeSilence`. */
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
      keepAliveInitialDelayMillis: keepAliveMs,
      connectionTimeoutMillis: connectTimeoutMs
    })
    this.#client.on('error', () => this.#ended())
    this.#client.on('end', () => this.#ended())
    // A commit that no longer waits for its standby is acknowledged all the same, with this notice before the answer.
    this.#client.on('notice', ({ routine }) => {
      if (routine === 'SyncRepWaitForLSN') this.fail('a commit did not reach the synchronous standby')
    })
  }

  /**
   * Connects, and sets up the session.
   *
   * @param onEnd called once after the connection was opened
   * @throws UnfitDatabase, `LostConnection` or the error of the database
   */
  static async open(endpoint: DatabaseEndpoint, onEnd: (connection: Connection) => void): Promise<Connection> {
    const connection = new Connection(endpoint, onEnd)
    try {
      await connection.#client.connect()
      const { rows } = await connection.ask(sessionStatement)
      connection.#server = checkServer(endpoint.name, rows[0] as Row)
      connection.#isReady = true
      return connection
    } catch (error) {
      connection.#socket.destroy()
      throw isDatabaseError(error) || error instanceof UnfitDatabase ? error : connection.#lost(error)
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
        if (!error) resolve(result)
        else reject(isDatabaseError(error) || this.#isOpen ? error : this.#lost(error))
      })
      if (name !== '') Object.assign(query, { name })
      this.#client.query(query)
    })
  }

  /** Nothing came since the last look although statements wait. To be called every so often. @param most looks */
  noticeSilence(most: number): void {
    const { bytesRead } = this.#socket
    this.#silentLooks = this.#inFlight > 0 && bytesRead === this.#bytesRead ? this.#silentLooks + 1 : 0
    this.#bytesRead = bytesRead
    if (this.#silentLooks >= most) this.fail('no answer')
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
