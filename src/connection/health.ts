import type { ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Clock } from '../core/clock.ts'
import { BlobwireError } from '../core/error.ts'

/** Time for an answer of any kind on a connection that is suspect, in milliseconds. */
export const suspectTimeoutMs = 1000

/**
 * Streams in a row that a server resets without an answer; then the connection drains, because the fault may be in this
 * connection alone: a server that has lost count of its streams resets each new one (ENHANCE_YOUR_CALM).
 */
export const maxResetStreams = 2

/** The error of streams on a connection whose peer does not answer a check of the connection. */
export function connectionDead(timeoutMs: number): BlobwireError {
  const message = `no data on the connection within ${timeoutMs} ms of a PING`
  return new BlobwireError({ reason: 'connection_dead', message, sent: 'maybe' })
}

/** How a connection is watched. */
export interface HealthContext {
  readonly clock: Clock
  readonly pingIntervalMs: number
  readonly pingTimeoutMs: number
  /** Whether streams are open on it. */
  isBusy(): boolean
}

/** What is watched. The session is only asked for PINGs. */
export type PingSession = Pick<ClientHttp2Session, 'ping' | 'destroyed'>
export type WatchedSocket = Pick<Socket, 'bytesRead' | 'destroyed' | 'destroy'>

/**
 * The HTTP/2 session that undici opened on a socket. undici has no public way to it; it keeps it under a symbol of its
 * own, so that every symbol is looked at for what can PING. test/connection/health.test.ts notices when it has moved;
 * connections are then used without PINGs.
 */
export function sessionOn(socket: object): ClientHttp2Session | undefined {
  for (const symbol of Object.getOwnPropertySymbols(socket)) {
    const value = (socket as Record<symbol, unknown>)[symbol] as Partial<ClientHttp2Session> | null | undefined
    if (typeof value === 'object' && typeof value?.ping === 'function' && typeof value.goaway === 'function') {
      return value as ClientHttp2Session
    }
  }
  return undefined
}

/**
 * Finds out whether the other side of a connection is still there (RFC 9113 section 6.7). Bytes of any kind are a sign of
 * life, so that a connection full of data is not given up because the answer to a PING queues behind it.
 */
export class ConnectionHealth {
  readonly #socket: WatchedSocket
  readonly #session: PingSession
  readonly #context: HealthContext
  #cancelTimer: (() => void) | undefined
  #suspect = false
  #seenBytes = 0

  constructor(socket: WatchedSocket, session: PingSession, context: HealthContext) {
    this.#socket = socket
    this.#session = session
    this.#context = context
    this.#watch()
  }

  /**
   * Sends a PING. False = nothing at all came in this time, and the connection was destroyed. `keepsAlive` = the process
   * does not end before: undici lets it end while a connection is idle.
   */
  check(timeoutMs: number, keepsAlive = false): Promise<boolean> {
    const { clock } = this.#context
    const bytesBefore = this.#socket.bytesRead
    return new Promise((resolve) => {
      let cancel = () => {}
      const end = (isAlive: boolean) => {
        cancel()
        if (!isAlive) this.#destroy(timeoutMs)
        resolve(isAlive)
      }
      cancel = clock.schedule(timeoutMs, () => end(this.#socket.bytesRead !== bytesBefore), keepsAlive)
      try {
        // An error says that the session has ended, or that ten PINGs wait already: the timer judges those.
        this.#session.ping((error) => {
          if (error === null || this.#session.destroyed) end(!this.#session.destroyed)
        })
      } catch {
        end(!this.#session.destroyed)
      }
    })
  }

  /** A call has had no answer: a PING at once, with little time for it. One at a time. */
  suspect(): void {
    if (this.#suspect || this.#socket.destroyed) return
    this.#suspect = true
    this.check(Math.min(suspectTimeoutMs, this.#context.pingTimeoutMs)).then(() => {
      this.#suspect = false
    })
  }

  /** Watches no longer. */
  stop(): void {
    this.#cancelTimer?.()
  }

  #watch(): void {
    const { clock, pingIntervalMs, pingTimeoutMs, isBusy } = this.#context
    this.#cancelTimer = clock.schedule(pingIntervalMs, () => {
      if (this.#socket.destroyed) return
      const { bytesRead } = this.#socket
      if (bytesRead === this.#seenBytes && isBusy()) this.check(pingTimeoutMs)
      this.#seenBytes = bytesRead
      this.#watch()
    })
  }

  #destroy(timeoutMs: number): void {
    this.stop()
    this.#socket.destroy(connectionDead(timeoutMs))
  }
}
