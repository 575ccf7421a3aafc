/** The pool of HTTP/2 connections to one endpoint. */
import { Dispatcher } from 'undici'
import { BlobwireError } from '../../core/error.ts'
import { Connection, type ConnectionContext } from './connection.ts'
import type { Negotiation } from './negotiation.ts'

/** Controls the stream of a session. */
export interface StreamControl {
  /** Resets the stream. */
  abort(reason: Error): void
  /** Checks the connection, because an answer is overdue and no byte has come since the request. */
  suspect(): void
  /** The peer has said its last; the stream counts no more, though its end may still be on the way. */
  over(): void
}

/** Receives the events of a stream that stays open. `onEnd` or `onError` comes last, once. */
export interface StreamListener {
  /** The request is on a connection, and the server has sent its settings. */
  onStart(control: StreamControl): void
  onHeaders(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void
  onData(chunk: Buffer): void
  onEnd(): void
  onError(error: unknown): void
  /** The connection is draining: open the next stream, and end this one in good order. */
  onGoaway(): void
}

/** A request; undici passes its options on. */
export interface RequestDispatch extends Dispatcher.DispatchOptions {
  /** Asked before a request that the server refused is sent again; without it, it is. */
  readonly mayReplay?: () => boolean
  /** Called when the request begins on a connection. */
  readonly onStart?: (() => void) | undefined
}

/** The error of a request that the server promises not to have processed. */
export function requestRefused(cause?: Error): BlobwireError {
  const message = 'the server refused the request without processing it'
  return new BlobwireError({ reason: 'refused', message, sent: 'never', cause })
}

/**
 * A pool that opens another connection when all have `streamLimit` streams, up to `maxConnections`. A request goes to the
 * connection with the fewest requests in flight. undici's own `Pool` hangs after a GOAWAY while a stream stays open on
 * the drained connection; a `Client` does not.
 */
export class ConnectionPool extends Dispatcher {
  readonly #context: ConnectionContext
  readonly #negotiation: Negotiation
  /** Connections that take requests, oldest first. */
  #connections: Connection[] = []
  /** Draining connections, which only finish their streams. */
  readonly #draining = new Set<Connection>()
  #cancelSweep: (() => void) | undefined
  #closed = false

  constructor(context: ConnectionContext, negotiation: Negotiation) {
    super()
    this.#context = context
    this.#negotiation = negotiation
  }

  /** Sends a request on the best connection. */
  override dispatch(options: RequestDispatch, handler: Dispatcher.DispatchHandler): boolean {
    this.#onConnection((connection) => {
      connection.dispatch(options, new TrackedRequest(connection, handler, options))
    })
    return true
  }

  /** Opens a stream on the best connection. */
  openStream(options: Dispatcher.DispatchOptions, listener: StreamListener): void {
    this.#onConnection((connection) => {
      connection.dispatch(options, new TrackedStream(connection, listener, this.#negotiation))
    })
  }

  #onConnection(send: (connection: Connection) => void): void {
    const connection = this.#pick()
    if (!connection.needsPing) return send(connection)
    connection.verify().then((isAlive) => {
      if (isAlive) send(connection)
      else this.#onConnection(send)
    })
  }

  /** Idle time and age may be shorter now. */
  limitsChanged(): void {
    if (!this.#closed) this.#sweepLater()
  }

  /** Closes the connections without requests, those that `maxIdleConnections` keeps, too. */
  closeIdle(): void {
    for (const connection of this.#connections) if (connection.inFlight === 0) connection.drain()
  }

  override async destroy(): Promise<void> {
    this.#closed = true
    this.#cancelSweep?.()
    await Promise.all([...this.#connections, ...this.#draining].map((connection) => connection.destroy()))
    this.#connections = []
    this.#draining.clear()
  }

  override close(): Promise<void> {
    return this.destroy()
  }

  #pick(): Connection {
    let best: Connection | undefined
    for (const connection of this.#connections) {
      if (best === undefined || connection.inFlight < best.inFlight) best = connection
    }
    const isEnough = this.#connections.length >= this.#context.options.maxConnections || this.#closed
    if (best && (isEnough || best.inFlight < best.streamLimit)) return best
    return this.#open()
  }

  #open(): Connection {
    const connection = new Connection(this.#context, {
      onDraining: (draining) => {
        this.#connections = this.#connections.filter((other) => other !== draining)
        this.#draining.add(draining)
      },
      onClosed: (closed) => this.#draining.delete(closed),
      onHttp1: () => this.#negotiation.onHttp1()
    })
    this.#connections.push(connection)
    if (this.#closed) connection.destroy().catch(() => undefined)
    else this.#sweepLater()
    return connection
  }

  /** Starts the one timer of all connections, for the first that may be due. */
  #sweepLater(): void {
    this.#cancelSweep?.()
    this.#cancelSweep = undefined
    if (this.#connections.length === 0) return
    const { clock, options } = this.#context
    const dueAtMs = Math.min(...this.#connections.map(({ nextDueAtMs }) => nextDueAtMs))
    // Connections that `maxIdleConnections` keeps are always due, so that the timer has a least delay.
    const delayMs = Math.max(dueAtMs - clock.now(), Math.min(options.idleTimeoutMs, options.maxAgeMs) / 10)
    this.#cancelSweep = clock.schedule(delayMs, () => {
      const kept = this.#kept()
      for (const connection of this.#connections) if (connection.isDue(kept.has(connection))) connection.drain()
      this.#sweepLater()
    })
  }

  /** The most recently used idle connections, as many as `maxIdleConnections`. */
  #kept(): ReadonlySet<Connection> {
    const idle = this.#connections.filter(({ inFlight }) => inFlight === 0).sort((a, b) => b.usedAtMs - a.usedAtMs)
    return new Set(idle.slice(0, this.#context.options.maxIdleConnections))
  }
}

/** Tells a connection how its requests end. */
class Tracking {
  readonly connection: Connection
  readonly #onGoaway: (() => void) | undefined
  #bytesBefore = 0
  #failed = false
  #answered = false
  #ended = false

  constructor(connection: Connection, onGoaway?: () => void) {
    this.connection = connection
    // A stream that ends the connection by its own failure does not move.
    this.#onGoaway = onGoaway && (() => this.#failed || onGoaway())
    connection.begin(this.#onGoaway)
  }

  get ended(): boolean {
    return this.#ended
  }

  started(): void {
    this.#bytesBefore = this.connection.bytesRead
  }

  answered(): void {
    this.#answered = true
    this.connection.answered(true)
  }

  failed(controller: Dispatcher.DispatchController | undefined, error: Error): void {
    const isLate = error instanceof BlobwireError && error.code === 'deadline_exceeded'
    if (isLate && this.connection.bytesRead === this.#bytesBefore) this.connection.suspect()
    this.#failed = true
    if (!this.#answered && !controller?.aborted) this.connection.answered(false)
    this.end()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.connection.end(this.#onGoaway)
  }
}

type ResponseStart = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>

/** A unary request in flight. */
class TrackedRequest implements Dispatcher.DispatchHandler {
  readonly #tracking: Tracking
  readonly #handler: Dispatcher.DispatchHandler
  readonly #mayReplay: (() => boolean) | undefined
  readonly #onStart: (() => void) | undefined
  #isReplay = false

  constructor(connection: Connection, handler: Dispatcher.DispatchHandler, { mayReplay, onStart }: RequestDispatch) {
    this.#tracking = new Tracking(connection)
    this.#handler = handler
    this.#mayReplay = mayReplay
    this.#onStart = onStart
  }

  /** Called once more where undici sends a refused request again. */
  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    if (this.#isReplay && this.#mayReplay?.() === false) return controller.abort(requestRefused())
    this.#isReplay = true
    this.#tracking.started()
    this.#onStart?.()
    this.#handler.onRequestStart?.(controller, context)
  }

  onResponseStart(...response: ResponseStart): void {
    this.#tracking.answered()
    this.#handler.onResponseStart?.(...response)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk)
  }

  onResponseEnd(...end: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseEnd']>>): void {
    this.#tracking.end()
    this.#handler.onResponseEnd?.(...end)
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#tracking.failed(controller, error)
    this.#handler.onResponseError?.(controller, this.#tracking.connection.explain(error))
  }
}

/** A stream that stays open. */
class TrackedStream implements Dispatcher.DispatchHandler {
  readonly #tracking: Tracking
  readonly #listener: StreamListener
  readonly #negotiation: Negotiation

  constructor(connection: Connection, listener: StreamListener, negotiation: Negotiation) {
    this.#tracking = new Tracking(connection, () => listener.onGoaway())
    this.#listener = listener
    this.#negotiation = negotiation
  }

  /** Starts the stream once the server has sent its settings: a later timeout is then no fault of the connection's setup. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#tracking.started()
    const { connection } = this.#tracking
    connection.whenSettingsReceived(() => {
      if (this.#tracking.ended) return
      const { refusal } = this.#negotiation
      if (refusal) return controller.abort(refusal)
      this.#listener.onStart({
        // Not at once: a stream that is reset while its own bytes are being read stays open in nghttp2, and counts against
        // the server's limit until the connection ends (Node 26, undici 8.12).
        abort: (reason) => setImmediate(() => controller.abort(reason)),
        suspect: () => connection.suspect(),
        over: () => this.#tracking.end()
      })
    })
  }

  onResponseStart(...[, status, headers]: ResponseStart): void {
    this.#tracking.answered()
    this.#negotiation.onAnswer()
    this.#listener.onHeaders(status, headers)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#listener.onData(chunk)
  }

  onResponseEnd(): void {
    this.#tracking.end()
    this.#listener.onEnd()
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#tracking.failed(controller, error)
    this.#negotiation.explain(this.#tracking.connection.explain(error), (cause) => this.#listener.onError(cause))
  }
}
