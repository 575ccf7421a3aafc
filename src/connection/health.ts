/** The health of connections: PINGs, and the limits that HTTP and gRPC share. */
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

/** The options of health checks, and the connection's state. */
export interface HealthContext {
  readonly clock: Clock
  readonly pingIntervalMs: number
  readonly pingTimeoutMs: number
  /** Whether streams are open on the connection. */
  isBusy(): boolean
}

/** The part of an HTTP/2 session that health checks use. */
export type PingSession = Pick<ClientHttp2Session, 'ping' | 'destroyed'>
export type WatchedSocket = Pick<Socket, 'bytesRead' | 'destroyed' | 'destroy'>

/**
 * The HTTP/2 session that undici opened on a socket. undici keeps the session under a private symbol; the search takes
 * the value of any symbol that can send a PING. Where undici moves the session, connections are used without PINGs, and
 * test/connection/health.test.ts fails.
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
 * Checks with PINGs whether the peer of a connection responds (RFC 9113 section 6.7). Bytes of any kind count as a
 * response, because on a busy connection the answer to a PING queues behind data.
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

  /** Sends a PING. False = no byte came within `timeoutMs`, and the connection was destroyed. */
  check(timeoutMs: number): Promise<boolean> {
    const { clock } = this.#context
    const bytesBefore = this.#socket.bytesRead
    return new Promise((resolve) => {
      let cancel = () => {}
      const end = (isAlive: boolean) => {
        cancel()
        if (!isAlive) this.#destroy(timeoutMs)
        resolve(isAlive)
      }
      cancel = clock.schedule(timeoutMs, () => end(this.#socket.bytesRead !== bytesBefore))
      try {
        // Node reports an error where the session has ended or ten PINGs wait already; then the timer decides.
        this.#session.ping((error) => {
          if (error === null || this.#session.destroyed) end(!this.#session.destroyed)
        })
      } catch {
        end(!this.#session.destroyed)
      }
    })
  }

  /** Checks the connection at once, with a short time limit, because a call had no answer. One check runs at a time. */
  suspect(): void {
    if (this.#suspect || this.#socket.destroyed) return
    this.#suspect = true
    this.check(Math.min(suspectTimeoutMs, this.#context.pingTimeoutMs)).then(() => {
      this.#suspect = false
    })
  }

  /** Ends the periodic checks. */
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
