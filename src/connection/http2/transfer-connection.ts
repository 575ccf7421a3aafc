/**
 * One HTTP/2 connection for large blobs, of node:http2 itself. undici's client sends no trailers, and drops the rest of a
 * body whose trailers have come before a slow reader was done (docs/dependencies.md).
 */
import { type ClientHttp2Session, connect } from 'node:http2'
import type { Socket } from 'node:net'
import { BlobwireError } from '../../core/error.ts'
import { originOf } from '../endpoint.ts'
import { ConnectionHealth, maxResetStreams } from '../health.ts'
import { BusySocket } from './busy-socket.ts'
import type { ConnectionContext } from './connection.ts'
import { beforeSettings } from './http1-probe.ts'

/** One stream fills a link of 1 Gbit/s over 100 ms with it; a reader that reads nothing holds as much (RFC 9113 section 6.9.2). */
const streamWindowBytes = 16 * 1024 * 1024
/** A stream that nobody reads takes nothing from the others: Node returns to this window the bytes of all streams at once. */
const connectionWindowBytes = 64 * 1024 * 1024

/** The events of a connection, for its pool. */
export interface TransferConnectionEvents {
  /** The connection takes no new transfers; those on it go on. */
  onDraining(connection: TransferConnection): void
  onClosed(connection: TransferConnection): void
  /** TLS negotiated HTTP/1.1. */
  onHttp1(): void
}

/** A connection that is opened at once. */
export class TransferConnection {
  /** Resolves once the server has sent its settings. @throws BlobwireError */
  readonly ready: Promise<ClientHttp2Session>
  readonly #context: ConnectionContext
  readonly #events: TransferConnectionEvents
  #socket: Socket | undefined
  #session: ClientHttp2Session | undefined
  #health: ConnectionHealth | undefined
  #cancelTimers: (() => void)[] = []
  #cancelIdle: (() => void) | undefined
  #inFlight = 0
  #resetStreams = 0
  #usedAtMs: number
  #isOpen = false
  #isDraining = false
  #isClosed = false
  /** Why the connection broke, where its socket or its session tells. */
  #error: Error | undefined

  constructor(context: ConnectionContext, events: TransferConnectionEvents) {
    this.#context = context
    this.#events = events
    this.#usedAtMs = context.clock.now()
    this.ready = this.#open()
    this.ready.catch((error) => {
      this.#error = error
      this.#close()
    })
  }

  /** Transfers on the connection, and those that wait for it. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Why the streams of a broken connection ended. */
  get error(): Error | undefined {
    return this.#error ?? this.#socket?.errored ?? undefined
  }

  /** Counts a transfer in. */
  begin(): void {
    const { counters } = this.#context
    this.#cancelIdle?.()
    if (this.#inFlight++ === 0 && this.#isOpen) counters.inUse++
    counters.streams++
    counters.totalStreams++
  }

  /** Counts the transfer out. */
  end(): void {
    const { counters, clock, options } = this.#context
    counters.streams--
    if (--this.#inFlight > 0) return
    if (this.#isOpen) counters.inUse--
    this.#usedAtMs = clock.now()
    if (this.#isDraining) this.#close()
    else this.#cancelIdle = clock.schedule(options.idleTimeoutMs, () => this.drain())
  }

  /** A stream was answered, or ended by the server without an answer. */
  answered(isAnswer: boolean): void {
    this.#resetStreams = isAnswer ? 0 : this.#resetStreams + 1
    if (this.#resetStreams >= maxResetStreams) this.drain()
  }

  /** The session for the next stream; of a connection that was idle for long, once the server has answered a PING. */
  async session(): Promise<ClientHttp2Session> {
    const { clock, options } = this.#context
    const session = await this.ready
    const isFresh = clock.now() - this.#usedAtMs < options.pingIntervalMs
    if (this.#inFlight > 1 || isFresh || (await this.#health?.check(options.pingTimeoutMs))) return session
    const message = 'the server did not answer a PING on an idle connection'
    throw new BlobwireError({ reason: 'connection_dead', message, sent: 'never', cause: this.error })
  }

  /** Checks whether the server responds, because no byte has moved for long; if not, the connection ends. */
  suspect(): void {
    this.#health?.suspect()
  }

  /** Takes no new transfers, and closes when the last one has ended. */
  drain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    this.#events.onDraining(this)
    if (this.#inFlight === 0) this.#close()
  }

  /** Closes the connection at once; transfers on it fail. */
  destroy(error?: Error): void {
    this.#error ??= error
    this.#close()
    this.#session?.destroy(error)
    this.#socket?.destroy(error)
  }

  async #open(): Promise<ClientHttp2Session> {
    const { connector, counters, endpoint, report } = this.#context
    const where = { endpoint: originOf(endpoint) }
    const socket = await connector.open(true).catch((error) => {
      counters.failures++
      report('connection_failed', { ...where, problem: error.message })
      throw error
    })
    if (this.#isClosed) {
      socket.destroy()
      throw this.#error ?? new Error('the connection was closed')
    }
    counters.opened++
    counters.open++
    report('connection_opened', where)
    this.#socket = socket
    this.#setOpen(true)
    socket.once('close', () => {
      counters.open--
      report('connection_closed', where)
      this.#setOpen(false)
      this.drain()
    })
    if (endpoint.secure && (socket as { alpnProtocol?: unknown }).alpnProtocol !== 'h2') {
      this.#events.onHttp1()
      socket.destroy()
      throw new BlobwireError({ reason: 'not_http2', message: 'the server speaks HTTP/1.1 only', sent: 'never' })
    }
    return this.#speak(socket)
  }

  #speak(socket: Socket): Promise<ClientHttp2Session> {
    const { endpoint, options, clock } = this.#context
    const session = connect(originOf(endpoint), {
      createConnection: () => socket,
      settings: {
        enablePush: false,
        initialWindowSize: streamWindowBytes,
        maxHeaderListSize: options.maxHeaderBytes
      }
    })
    this.#session = session
    session.once('connect', () => session.setLocalWindowSize(connectionWindowBytes))
    session.on('goaway', () => this.drain())
    const health = new ConnectionHealth(new BusySocket(socket), session, {
      ...options,
      clock,
      isBusy: () => this.#inFlight > 0
    })
    this.#health = health
    const { promise, resolve, reject } = Promise.withResolvers<ClientHttp2Session>()
    let isReady = false
    const timeoutMs = options.connectTimeoutMs
    const cancelSettings = clock.schedule(timeoutMs, () => {
      const message = `the server accepted the connection and sent no HTTP/2 data within ${timeoutMs} ms`
      if (!isReady) socket.destroy(new BlobwireError({ reason: 'connect_timeout', message, sent: 'maybe' }))
    })
    session.once('remoteSettings', () => {
      isReady = true
      resolve(session)
    })
    session.on('error', (error) => {
      this.#error ??= error
    })
    session.once('close', () => {
      const closed = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' })
      const error = this.error ?? closed
      reject(isReady ? error : beforeSettings(error))
      this.drain()
    })
    this.#cancelTimers = [cancelSettings, clock.schedule(options.maxAgeMs, () => this.drain()), () => health.stop()]
    return promise
  }

  #setOpen(isOpen: boolean): void {
    if (isOpen !== this.#isOpen && this.#inFlight > 0) this.#context.counters.inUse += isOpen ? 1 : -1
    this.#isOpen = isOpen
  }

  #close(): void {
    if (this.#isClosed) return
    this.drain()
    this.#isClosed = true
    this.#cancelIdle?.()
    for (const cancel of this.#cancelTimers) cancel()
    this.#events.onClosed(this)
    if (this.#inFlight > 0) return
    this.#session?.close()
    this.#socket?.destroySoon()
  }
}
