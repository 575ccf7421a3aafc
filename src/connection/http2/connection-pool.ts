import { Dispatcher } from 'undici'
import { BlobwireError } from '../../core/error.ts'
import { Connection, type ConnectionContext } from './connection.ts'

/** What a stream that stays open is told of its connection. */
export interface StreamWatcher {
  /** The connection takes no new requests: open the next stream, and end this one in good order. */
  onGoaway(): void
  /** The request is on this connection. */
  onPlaced(connection: Pick<Connection, 'suspect'>): void
}

/** Watchers by the options of their request; undici's options have no room for them. */
type Watched = Dispatcher.DispatchOptions & { readonly watcher?: StreamWatcher }

/**
 * A few HTTP/2 connections to one endpoint. The first carries everything until it has as many streams as it should; then
 * another one is opened, up to `maxConnections`. Requests go where the fewest are in flight. undici's own `Pool` hangs
 * after a GOAWAY while a stream stays open on the drained connection; a `Client` does not.
 */
export class ConnectionPool extends Dispatcher {
  readonly #context: ConnectionContext
  readonly #onHttp1: () => void
  /** Those that take requests, oldest first. */
  #connections: Connection[] = []
  /** Those that only finish what they have begun. */
  readonly #draining = new Set<Connection>()
  #cancelSweep: (() => void) | undefined
  #closed = false

  constructor(context: ConnectionContext, onHttp1: () => void) {
    super()
    this.#context = context
    this.#onHttp1 = onHttp1
  }

  /** Sends a request on the best connection. */
  override dispatch(options: Watched, handler: Dispatcher.DispatchHandler): boolean {
    const connection = this.#pick()
    if (connection.needsPing) {
      connection.verify().then((isAlive) => {
        if (isAlive) this.#send(connection, options, handler)
        else this.dispatch(options, handler)
      })
    } else {
      this.#send(connection, options, handler)
    }
    return true
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

  #send(connection: Connection, options: Watched, handler: Dispatcher.DispatchHandler): void {
    const { watcher, ...rest } = options
    connection.dispatch(watcher ? rest : options, new TrackedRequest(connection, handler, watcher))
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
      onDraining: (left) => {
        this.#connections = this.#connections.filter((other) => other !== left)
        this.#draining.add(left)
      },
      onClosed: (done) => this.#draining.delete(done),
      onHttp1: this.#onHttp1
    })
    this.#connections.push(connection)
    if (this.#closed) connection.destroy().catch(() => undefined)
    else this.#sweepLater()
    return connection
  }

  /** One timer for all of them: a use does not set it anew, it is looked at when it fires. */
  #sweepLater(): void {
    this.#cancelSweep?.()
    this.#cancelSweep = undefined
    if (this.#connections.length === 0) return
    const { clock, options } = this.#context
    const dueAtMs = Math.min(...this.#connections.map(({ nextDueAtMs }) => nextDueAtMs))
    // Those that are kept although they have been idle for long are due all the time.
    const delayMs = Math.max(dueAtMs - clock.now(), Math.min(options.idleTimeoutMs, options.maxAgeMs) / 10)
    this.#cancelSweep = clock.schedule(delayMs, () => {
      const kept = this.#kept()
      for (const connection of this.#connections) if (connection.isDue(kept.has(connection))) connection.drain()
      this.#sweepLater()
    })
  }

  /** Of the idle ones those used last are kept, as many as the options say. */
  #kept(): ReadonlySet<Connection> {
    const idle = this.#connections.filter(({ inFlight }) => inFlight === 0).sort((a, b) => b.usedAtMs - a.usedAtMs)
    return new Set(idle.slice(0, this.#context.options.maxIdleConnections))
  }
}

/** A request in flight: counts it, and notices what its end says of its connection. */
class TrackedRequest implements Dispatcher.DispatchHandler {
  readonly #connection: Connection
  readonly #handler: Dispatcher.DispatchHandler
  readonly #watcher: StreamWatcher | undefined
  readonly #onGoaway: (() => void) | undefined
  #bytesBefore = 0
  #answered = false
  #ended = false

  constructor(connection: Connection, handler: Dispatcher.DispatchHandler, watcher: StreamWatcher | undefined) {
    this.#connection = connection
    this.#handler = handler
    this.#watcher = watcher
    this.#onGoaway = watcher && (() => watcher.onGoaway())
    connection.begin(this.#onGoaway)
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#bytesBefore = this.#connection.bytesRead
    // Who opens a stream waits for the server to be there, so that silence means more than a dead connection.
    if (this.#watcher === undefined) return this.#handler.onRequestStart?.(controller, context)
    this.#watcher.onPlaced(this.#connection)
    this.#connection.whenSettingsReceived(() => {
      if (!this.#ended) this.#handler.onRequestStart?.(controller, context)
    })
  }

  onResponseStart(...context: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>): void {
    this.#answered = true
    this.#connection.answered(true)
    this.#handler.onResponseStart?.(...context)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk)
  }

  onResponseEnd(...context: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseEnd']>>): void {
    this.#end()
    this.#handler.onResponseEnd?.(...context)
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    const isLate = error instanceof BlobwireError && error.code === 'deadline_exceeded'
    if (isLate && this.#connection.bytesRead === this.#bytesBefore) this.#connection.suspect()
    if (!this.#answered && !controller?.aborted) this.#connection.answered(false)
    this.#end()
    this.#handler.onResponseError?.(controller, error)
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#connection.end(this.#onGoaway)
  }
}
