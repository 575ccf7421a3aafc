/** One HTTP/2 connection: an undici `Client`, watched and drained. */

import type { ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { type buildConnector, Client, type Dispatcher } from 'undici'
import type { Clock } from '../../core/clock.ts'
import type { ConnectionCounters } from '../../core/counters.ts'
import { BlobwireError } from '../../core/error.ts'
import type { ResolvedConnectionOptions } from '../../options/types.ts'
import type { Report } from '../../telemetry/client-event.ts'
import type { Connector } from '../dial/connector.ts'
import { type Endpoint, originOf } from '../endpoint.ts'
import { ConnectionHealth, maxResetStreams, sessionOn } from '../health.ts'
import { beforeSettings } from './http1-probe.ts'

/** HTTP/2's own 64 KiB cap bulk transfer at 3 MiB/s over 20 ms; these allow some 200 MiB/s (RFC 9113 section 6.9.2). */
const streamWindowBytes = 8 * 1024 * 1024
const connectionWindowBytes = 32 * 1024 * 1024

/** Most concurrent streams on one connection, where the server allows as many; further ones wait. */
const maxStreams = 1000

/** undici opens a new socket for refused streams; where that fails, it must not try in a tight loop. */
const reopenDelayMs = 200

/** The default limit of node:http2 on header sections. */
const defaultHeaderBytes = 64 * 1024

/** No timer of undici: each call has its deadline, and the pool closes idle connections. */
export const undiciTimers = { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 2 ** 31 - 1 }

/** The dependencies of a connection. */
export interface ConnectionContext {
  readonly endpoint: Endpoint
  readonly options: ResolvedConnectionOptions
  readonly clock: Clock
  readonly counters: ConnectionCounters
  readonly connector: Connector
  /** Takes the events of connections. */
  readonly report: Report
}

/** The events of a connection, for its pool. */
export interface ConnectionEvents {
  /** The connection takes no new requests; requests in flight go on. */
  onDraining(connection: Connection): void
  /** The connection is closed, or about to be. */
  onClosed(connection: Connection): void
  /** TLS negotiated HTTP/1.1. */
  onHttp1(): void
}

/** One HTTP/2 connection: an undici `Client`, opened by its first request. */
export class Connection {
  readonly #context: ConnectionContext
  readonly #events: ConnectionEvents
  readonly #client: Client
  readonly #waitingForSettings: (() => void)[] = []
  /** Called when their streams should move to another connection. */
  readonly #goawayListeners = new Set<() => void>()
  /** Several after a GOAWAY: undici leaves the open streams on one socket, and replays refused ones on a new one. */
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
    // undici's types have the window sizes in another place than its code.
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

  /** Requests and sessions in flight, including those that wait for the connection. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Most streams for this connection: the option, or the server's limit where that is lower. */
  get streamLimit(): number {
    const { maxStreamsPerConnection } = this.#context.options
    const allowed = this.#session?.remoteSettings?.maxConcurrentStreams
    return allowed === undefined ? maxStreamsPerConnection : Math.min(allowed, maxStreamsPerConnection)
  }

  /** Whether the connection is too old, or (without `keepIdle`) was idle for too long. */
  isDue(keepIdle: boolean): boolean {
    const { options, clock } = this.#context
    if (clock.now() >= this.#madeAtMs + options.maxAgeMs) return true
    return !keepIdle && this.#inFlight === 0 && clock.now() >= this.#usedAtMs + options.idleTimeoutMs
  }

  /** The earliest time at which `isDue` may be true. */
  get nextDueAtMs(): number {
    const { options, clock } = this.#context
    const usedAtMs = this.#inFlight > 0 ? clock.now() : this.#usedAtMs
    return Math.min(this.#madeAtMs + options.maxAgeMs, usedAtMs + options.idleTimeoutMs)
  }

  /** The end of the last request. */
  get usedAtMs(): number {
    return this.#usedAtMs
  }

  /** Whether the connection has to be verified before its next request. */
  get needsPing(): boolean {
    if (this.#verifying) return true
    if (this.#inFlight > 0 || this.#health === undefined) return false
    return this.#context.clock.now() - this.#usedAtMs >= this.#context.options.pingIntervalMs
  }

  /** Checks with a PING that the server responds; concurrent callers share one PING. False = the connection is lost. */
  verify(): Promise<boolean> {
    const { clock, options } = this.#context
    this.#verifying ??= (this.#health?.check(options.pingTimeoutMs) ?? Promise.resolve(true)).then((ok) => {
      this.#verifying = undefined
      this.#usedAtMs = clock.now()
      return ok && !this.#isDraining
    })
    return this.#verifying
  }

  /** Calls back once the server has sent its settings, the first frame of a server (RFC 9113 section 3.4). */
  whenSettingsReceived(callback: () => void): void {
    if (this.#settingsReceived) callback()
    else this.#waitingForSettings.push(callback)
  }

  /** Hands a request to undici. Its handler has to call `begin` and `end`. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#client.dispatch(options, handler)
  }

  /** Counts a request in. `onGoaway` is called when its stream should move to another connection. */
  begin(onGoaway?: () => void): void {
    const { counters } = this.#context
    if (this.#inFlight++ === 0 && this.#isOpen) counters.inUse++
    counters.streams++
    counters.totalStreams++
    if (onGoaway) this.#goawayListeners.add(onGoaway)
  }

  /** Counts the request out. */
  end(onGoaway?: () => void): void {
    const { counters, clock } = this.#context
    counters.streams--
    if (onGoaway) this.#goawayListeners.delete(onGoaway)
    if (--this.#inFlight > 0) return
    if (this.#isOpen) counters.inUse--
    this.#usedAtMs = clock.now()
    // undici updates its own state after this callback.
    if (this.#isDraining) queueMicrotask(() => this.#closeWhenDone())
  }

  /** A stream was answered, or ended by the server without an answer. */
  answered(isAnswer: boolean): void {
    this.#resetStreams = isAnswer ? 0 : this.#resetStreams + 1
    if (this.#resetStreams >= maxResetStreams) this.drain()
  }

  /** The error of a stream, by whether the server has spoken HTTP/2 at all. */
  explain(error: Error): Error {
    return this.#settingsReceived ? error : beforeSettings(error)
  }

  /** Bytes received so far; a caller compares two readings. */
  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0
  }

  /** Checks whether the server responds, because a call had no answer; if not, destroys the connection. */
  suspect(): void {
    this.#health?.suspect()
  }

  /** Takes no new requests, and closes when the last one has ended. */
  drain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    this.#events.onDraining(this)
    // Streams on a broken connection fail instead.
    if (this.#socket?.destroyed === false) for (const onGoaway of [...this.#goawayListeners]) onGoaway()
    this.#closeWhenDone()
  }

  /** Closes the connection at once; requests in flight fail. */
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
    const { counters, clock, connector, endpoint, report } = this.#context
    const where = { endpoint: originOf(endpoint) }
    const isFirst = ++this.#attempts === 1
    connector.open(true).then(
      (socket) => {
        counters.opened++
        counters.open++
        report('connection_opened', where)
        socket.once('close', () => {
          counters.open--
          report('connection_closed', where)
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
        report('connection_failed', { ...where, problem: error.message })
        if (isFirst) callback(error, null)
        else clock.schedule(reopenDelayMs, () => callback(error, null))
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
      // Until then nothing enforces them: that the server must not push, and how long its headers may be.
      else if (session.pendingSettingsAck) socket.destroy(settingsIgnored(options.connectTimeoutMs))
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

/** RFC 9113 section 6.5.3. */
function settingsIgnored(timeoutMs: number): BlobwireError {
  const message = `the server did not acknowledge the SETTINGS of the client within ${timeoutMs} ms`
  return new BlobwireError({ reason: 'protocol_error', message, sent: 'maybe' })
}

function settingsTimedOut(timeoutMs: number): BlobwireError {
  const message = `the server accepted the connection and sent no HTTP/2 data within ${timeoutMs} ms`
  return new BlobwireError({ reason: 'connect_timeout', message, sent: 'maybe' })
}
