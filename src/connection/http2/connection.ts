import type { ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { type buildConnector, Client, type Dispatcher } from 'undici'
import type { Clock } from '../../core/clock.ts'
import type { ConnectionCounters } from '../../core/counters.ts'
import { BlobwireError } from '../../core/error.ts'
import type { Connector } from '../dial/connector.ts'
import { type Endpoint, originOf } from '../endpoint.ts'
import { ConnectionHealth, maxResetStreams, sessionOn } from '../health.ts'
import type { ResolvedConnectionOptions } from '../options.ts'

/** HTTP/2's own 64 KiB cap bulk transfer at 3 MiB/s over 20 ms; these allow some 200 MiB/s (RFC 9113 section 6.9.2). */
const streamWindowBytes = 8 * 1024 * 1024
const connectionWindowBytes = 32 * 1024 * 1024

/** Streams at once on one connection, where the server allows as many; more wait. */
const maxStreams = 1000

/** undici opens a new socket for what was refused; where none can be had it must not try in a tight loop. */
const reopenDelayMs = 200

/** node:http2 reads no longer header sections than this, and takes this without being told. */
const defaultHeaderBytes = 64 * 1024

/** Each call has one deadline of its own, and the pool closes what is idle; undici's timers would only blur that. */
export const undiciTimers = { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 2 ** 31 - 1 }

/** What connections are made of. */
export interface ConnectionContext {
  readonly endpoint: Endpoint
  readonly options: ResolvedConnectionOptions
  readonly clock: Clock
  readonly counters: ConnectionCounters
  readonly connector: Connector
}

/** What a connection tells its pool. */
export interface ConnectionEvents {
  /** It takes no new requests; what is in flight goes on. */
  onDraining(connection: Connection): void
  /** It is closed, or about to be. */
  onClosed(connection: Connection): void
  /** TLS agreed on HTTP/1.1. */
  onHttp1(): void
}

/** One HTTP/2 connection: an undici `Client`, opened by its first request. */
export class Connection {
  readonly #context: ConnectionContext
  readonly #events: ConnectionEvents
  readonly #client: Client
  readonly #waitingForSettings: (() => void)[] = []
  /** Told when their streams are to be opened elsewhere. */
  readonly #goawayListeners = new Set<() => void>()
  /** More than one after a GOAWAY: undici lets go of a socket that has streams, and replays on another one. */
  readonly #sockets = new Set<Socket>()
  #socket: Socket | undefined
  #health: ConnectionHealth | undefined
  #session: ClientHttp2Session | undefined
  #verifying: Promise<boolean> | undefined
  #attempts = 0
  #settingsReceived = false
  #isDraining = false
  #isOpen = false
  #inFlight = 0
  #resetStreams = 0
  #usedAtMs: number
  readonly #madeAtMs: number

  constructor(context: ConnectionContext, events: ConnectionEvents) {
    this.#context = context
    this.#events = events
    this.#madeAtMs = context.clock.now()
    this.#usedAtMs = this.#madeAtMs
    // undici's types know another place for the size of the windows than its code.
    const windows = { initialWindowSize: streamWindowBytes, connectionWindowSize: connectionWindowBytes }
    this.#client = new Client(originOf(context.endpoint), {
      ...undiciTimers,
      maxHeaderSize: context.options.maxHeaderBytes,
      allowH2: true,
      h2Options: {
        ...windows,
        useH2c: !context.endpoint.secure,
        maxConcurrentStreams: maxStreams,
        pingInterval: 0
      } as object,
      connect: (_target, callback) => this.#connect(callback)
    })
    this.#client.on('connect', () => this.#opened())
    this.#client.on('connectionError', () => this.drain())
    this.#client.on('disconnect', () => this.drain())
  }

  /** Requests and sessions on it, those included that wait for the connection to stand. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Streams that it should have at most: the option's number, or what the server allows. */
  get streamLimit(): number {
    const { maxStreamsPerConnection } = this.#context.options
    const allowed = this.#session?.remoteSettings?.maxConcurrentStreams
    return allowed === undefined ? maxStreamsPerConnection : Math.min(allowed, maxStreamsPerConnection)
  }

  /** Whether it is too old, or has been idle for too long; `keepIdle` = that does not count. */
  isDue(keepIdle: boolean): boolean {
    const { options, clock } = this.#context
    if (clock.now() >= this.#madeAtMs + options.maxAgeMs) return true
    return !keepIdle && this.#inFlight === 0 && clock.now() >= this.#usedAtMs + options.idleTimeoutMs
  }

  /** When that may first be so. */
  get nextDueAtMs(): number {
    const { options, clock } = this.#context
    const usedAtMs = this.#inFlight > 0 ? clock.now() : this.#usedAtMs
    return Math.min(this.#madeAtMs + options.maxAgeMs, usedAtMs + options.idleTimeoutMs)
  }

  /** When it was last used. */
  get usedAtMs(): number {
    return this.#usedAtMs
  }

  /** Whether the server has to be asked first whether it is still there. */
  get needsPing(): boolean {
    if (this.#verifying) return true
    if (this.#inFlight > 0 || this.#health === undefined) return false
    return this.#context.clock.now() - this.#usedAtMs >= this.#context.options.pingIntervalMs
  }

  /** Asks with a PING; the requests that wait for it share one. False = it is lost. */
  verify(): Promise<boolean> {
    const { clock, options } = this.#context
    // Requests wait for it, and there may be nothing else that would keep the process from ending.
    this.#verifying ??= (this.#health?.check(options.pingTimeoutMs, true) ?? Promise.resolve(true)).then((ok) => {
      this.#verifying = undefined
      this.#usedAtMs = clock.now()
      return ok && !this.#isDraining
    })
    return this.#verifying
  }

  /** Whether the server has said anything: its settings come first (RFC 9113 section 3.4). */
  whenSettingsReceived(callback: () => void): void {
    if (this.#settingsReceived) callback()
    else this.#waitingForSettings.push(callback)
  }

  /** Hands a request to undici; the handler must have `begin` and `end` called. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#client.dispatch(options, handler)
  }

  /** A request is on its way here; a mover is told when its stream should be opened elsewhere. */
  begin(onGoaway?: () => void): void {
    const { counters } = this.#context
    if (this.#inFlight++ === 0 && this.#isOpen) counters.inUse++
    counters.streams++
    counters.totalStreams++
    if (onGoaway) this.#goawayListeners.add(onGoaway)
  }

  /** The request is over. */
  end(onGoaway?: () => void): void {
    const { counters, clock } = this.#context
    counters.streams--
    if (onGoaway) this.#goawayListeners.delete(onGoaway)
    if (--this.#inFlight > 0) return
    if (this.#isOpen) counters.inUse--
    this.#usedAtMs = clock.now()
    // undici has yet to put its own books in order.
    if (this.#isDraining) queueMicrotask(() => this.#closeWhenDone())
  }

  /** How a stream ended that was not ended here: with an answer of any kind, or without. */
  answered(isAnswer: boolean): void {
    this.#resetStreams = isAnswer ? 0 : this.#resetStreams + 1
    if (this.#resetStreams >= maxResetStreams) this.drain()
  }

  /** Bytes that have come, to tell whether any came since. */
  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0
  }

  /** A call has waited in vain: asks whether anybody is there, and closes the connection if not. */
  suspect(): void {
    this.#health?.suspect()
  }

  /** Takes no new requests; it is closed when the last one has ended. */
  drain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    this.#events.onDraining(this)
    // Streams on a broken connection hear of that instead.
    if (this.#socket?.destroyed === false) for (const onGoaway of [...this.#goawayListeners]) onGoaway()
    this.#closeWhenDone()
  }

  /** Closes it at once; what is in flight fails. */
  async destroy(): Promise<void> {
    this.#isDraining = true
    await this.#client.destroy()
    for (const socket of this.#sockets) socket.destroy()
  }

  #closeWhenDone(): void {
    if (this.#inFlight > 0) return
    this.#events.onClosed(this)
    this.destroy().catch(() => undefined)
  }

  #connect(callback: buildConnector.Callback): void {
    const { counters, clock, connector, endpoint } = this.#context
    const isFirst = ++this.#attempts === 1
    connector.open(true).then(
      (socket) => {
        counters.opened++
        counters.open++
        socket.once('close', () => {
          counters.open--
          this.#sockets.delete(socket)
          if (socket === this.#socket) this.#setOpen(false)
        })
        this.#socket = socket
        this.#sockets.add(socket)
        this.#setOpen(true)
        if (endpoint.secure && (socket as { alpnProtocol?: unknown }).alpnProtocol !== 'h2') this.#events.onHttp1()
        callback(null, socket)
      },
      (error) => {
        counters.failures++
        if (isFirst) callback(error, null)
        else clock.schedule(reopenDelayMs, () => callback(error, null), true)
      }
    )
  }

  #setOpen(isOpen: boolean): void {
    if (isOpen !== this.#isOpen && this.#inFlight > 0) this.#context.counters.inUse += isOpen ? 1 : -1
    this.#isOpen = isOpen
  }

  #opened(): void {
    const { options, clock } = this.#context
    const socket = this.#socket as Socket
    const session = sessionOn(socket)
    if (session === undefined) return this.#receiveSettings()
    this.#session = session
    session.once('remoteSettings', () => this.#receiveSettings())
    if (options.maxHeaderBytes !== defaultHeaderBytes) session.settings({ maxHeaderListSize: options.maxHeaderBytes })
    const health = new ConnectionHealth(socket, session, { ...options, clock, isBusy: () => this.#inFlight > 0 })
    this.#health = health
    const cancel = clock.schedule(options.connectTimeoutMs, () => {
      if (!this.#settingsReceived) socket.destroy(settingsTimedOut(options.connectTimeoutMs))
    })
    socket.once('close', () => {
      health.stop()
      cancel()
    })
  }

  #receiveSettings(): void {
    this.#settingsReceived = true
    for (const callback of this.#waitingForSettings.splice(0)) callback()
  }
}

function settingsTimedOut(timeoutMs: number): BlobwireError {
  const message = `the server accepted the connection and sent no HTTP/2 data within ${timeoutMs} ms`
  return new BlobwireError({ reason: 'connect_timeout', message, sent: 'maybe' })
}
