/** One gRPC connection: a channel of grpc-js, watched and replaced. */
import type { Client } from '@grpc/grpc-js'
import { systemClock } from '../../core/clock.ts'
import { BlobwireError } from '../../core/error.ts'
import type { ProxyAddress } from '../dial/proxy.ts'
import { authorityOf, dialledAuthorityOf, originOf } from '../endpoint.ts'
import { connectionDead, maxResetStreams, suspectTimeoutMs } from '../health.ts'
import { channelCredentials, channelOptions } from './channel-options.ts'
import type { GrpcEndpoint, GrpcMessageOptions } from './grpc-endpoint.ts'
import { OpeningSockets } from './opening-sockets.ts'

/** Receives the events of a connection, for a call or a session. */
export interface StreamListener {
  /** The connection is established; called only for streams that waited for it. */
  onReady(): void
  /** The connection is draining. */
  onGoaway(): void
  /** The connection is dead, or could not be established. */
  onLost(error: BlobwireError): void
}

/** The dependencies of a connection, and its events. */
export interface GrpcConnectionContext {
  readonly transport: GrpcEndpoint
  readonly options: GrpcMessageOptions
  readonly proxy: ProxyAddress | undefined
  /** The connection takes no new streams; its streams go on. */
  onDraining(connection: GrpcConnection): void
  /** The connection is closed. */
  onClosed(connection: GrpcConnection): void
}

/** gRPC's health checking protocol; the error of a server without it is a sign of life, too. */
const healthPath = '/grpc.health.v1.Health/Check'

/**
 * Calls that wait for the connection of a channel do not hold the process: the calls of the pipeline do, which a session
 * may outlive. test/faults/leaving.test.ts fails when grpc-js changes its name for this.
 */
function holdNothing(channel: object): void {
  const { internalChannel } = channel as { internalChannel?: { callRefTimerRef?: () => void } }
  if (internalChannel?.callRefTimerRef) internalChannel.callRefTimerRef = () => undefined
}

/** Serializes messages that are native bytes already, which are Buffers. */
export const asIs = (bytes: Uint8Array): Buffer => bytes as Buffer

/**
 * A channel of grpc-js for one connection, opened by its first call. A new channel replaces it when the connection ends,
 * is dead or old, or cannot be opened, because grpc-js cannot close the connection of a channel alone. grpc-js repeats
 * streams that a draining server refused on the same channel, for which it may connect once more.
 */
export class GrpcConnection {
  /** The client to make calls with, between `begin` and `end`. */
  readonly client: Client
  readonly #context: GrpcConnectionContext
  readonly #channel: ReturnType<Client['getChannel']>
  readonly #opening: OpeningSockets
  readonly #listeners = new Set<StreamListener>()
  /** Streams that began before the connection was established. */
  readonly #waiting = new Set<StreamListener>()
  #cancelConnectTimer: (() => void) | undefined
  #cancelAgeTimer: (() => void) | undefined
  #messagesReceived = 0
  #streamReset = 0
  #probing = false
  #isDraining = false
  #closed = false

  constructor(context: GrpcConnectionContext) {
    const { transport, options, proxy } = context
    this.#context = context
    this.#opening = new OpeningSockets(transport.grpc)
    const address = proxy ? authorityOf(proxy) : dialledAuthorityOf(transport.endpoint)
    this.client = new transport.grpc.Client(this.#opening.target(address), channelCredentials(transport, proxy), {
      ...channelOptions(transport, options, proxy),
      ...this.#opening.channelOptions
    })
    this.#channel = this.client.getChannel()
    holdNothing(this.#channel)
    this.#watch()
  }

  /** Calls and sessions on the connection. */
  get inFlight(): number {
    return this.#listeners.size
  }

  /** Messages received so far; a caller compares two readings. */
  get messagesReceived(): number {
    return this.#messagesReceived
  }

  /** A message of the server was received. */
  messageReceived(): void {
    this.#messagesReceived++
    this.#streamReset = 0
  }

  /** The server reset a stream without an answer. */
  streamReset(): void {
    if (++this.#streamReset >= maxResetStreams) this.#drain()
  }

  /** Whether the stream still waits for the connection. */
  isWaiting(listener: StreamListener): boolean {
    return this.#waiting.has(listener)
  }

  /** Begins a call or a session. It waits for the connection for `connectTimeoutMs` at most. */
  begin(listener: StreamListener): void {
    const { counters, connection, grpc } = this.#context.transport
    counters.connections.totalStreams++
    counters.connections.streams++
    this.#listeners.add(listener)
    if (this.#channel.getConnectivityState(false) !== grpc.connectivityState.READY) {
      this.#waiting.add(listener)
      this.#cancelConnectTimer ??= systemClock.schedule(connection.connectTimeoutMs, () => this.#connectTimedOut())
    }
    this.#count()
  }

  /** Ends a call or a session. */
  end(listener: StreamListener): void {
    this.#context.transport.counters.connections.streams--
    this.#listeners.delete(listener)
    this.#waiting.delete(listener)
    this.#count()
    if (this.#isDraining && this.#listeners.size === 0) this.close()
  }

  /** Checks whether the server responds, because a call had no answer; if not, closes. One check runs at a time. */
  suspect(): void {
    if (this.#probing || this.#closed) return
    this.#probing = true
    const before = this.#messagesReceived
    let isLate = false
    // A deadline of grpc-js would hold the process.
    const cancel = systemClock.schedule(suspectTimeoutMs, () => {
      isLate = true
      check.cancel()
    })
    const metadata = new this.#context.transport.grpc.Metadata()
    const check = this.client.makeUnaryRequest(healthPath, asIs, asIs, Buffer.alloc(0), metadata, (error) => {
      this.#probing = false
      cancel()
      const isDead = error !== null && isLate && this.#messagesReceived === before
      if (isDead && !this.#closed) this.#fail(this.#listeners, connectionDead(suspectTimeoutMs))
    })
  }

  /** Closes an open connection on which nothing is under way. */
  closeIdle(): void {
    const { READY } = this.#context.transport.grpc.connectivityState
    if (this.#listeners.size === 0 && this.#channel.getConnectivityState(false) === READY) this.#drain()
  }

  /** Closes the connection; calls on it fail. */
  close(): void {
    if (this.#closed) return
    this.#isDraining = true
    this.#closed = true
    this.#cancelConnectTimer?.()
    this.#cancelAgeTimer?.()
    this.client.close()
    this.#opening.abort()
    this.#context.onClosed(this)
  }

  /** Fails the waiting streams only: a stream that was open at a GOAWAY goes on. */
  #connectTimedOut(): void {
    const { counters, connection, endpoint, report } = this.#context.transport
    counters.connections.failures++
    report?.('connection_failed', { endpoint: originOf(endpoint), problem: 'connect_timeout' })
    const message = `no connection to ${authorityOf(endpoint)} within ${connection.connectTimeoutMs} ms`
    this.#fail(this.#waiting, new BlobwireError({ reason: 'connect_timeout', message }))
  }

  /** During its back-off grpc-js would refuse calls without trying to connect; on a new channel the next call tries. */
  #couldNotConnect(): void {
    this.#stopAccepting()
    // Calls that wait for the connection are about to fail; the last one closes the channel.
    if (this.#listeners.size === 0) this.close()
  }

  #fail(listeners: ReadonlySet<StreamListener>, error: BlobwireError): void {
    this.#stopAccepting()
    for (const listener of [...listeners]) {
      listener.onLost(error.with({ sent: this.#waiting.has(listener) ? 'never' : 'maybe' }))
    }
    this.close()
  }

  /** Takes no new streams, and closes when the last stream has ended. */
  #drain(): void {
    if (this.#closed) return
    this.#stopAccepting()
    for (const listener of [...this.#listeners]) listener.onGoaway()
    // grpc-js would keep the socket of an idle channel for up to ten seconds more.
    if (this.#listeners.size === 0) this.close()
  }

  #stopAccepting(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    this.#context.onDraining(this)
  }

  /** Follows the channel's state: it is no longer READY when the connection breaks or a GOAWAY comes. */
  #watch(): void {
    const { connectivityState } = this.#context.transport.grpc
    const { counters, endpoint, report } = this.#context.transport
    const { connections } = counters
    const where = { endpoint: originOf(endpoint) }
    let state = this.#channel.getConnectivityState(false)
    let isOpen = false
    const onStateChange = (error?: Error) => {
      const next = error ? connectivityState.SHUTDOWN : this.#channel.getConnectivityState(false)
      const before = state
      state = next
      // First: a listener may close the channel, which is then no longer to be watched.
      if (next !== connectivityState.SHUTDOWN) {
        this.#channel.watchConnectivityState(next, Number.POSITIVE_INFINITY, onStateChange)
      }
      if (next === connectivityState.READY && !isOpen) {
        isOpen = true
        connections.opened++
        connections.open++
        report?.('connection_opened', where)
        this.#ready()
      } else if (next !== connectivityState.READY && isOpen) {
        isOpen = false
        connections.open--
        report?.('connection_closed', where)
        this.#stopAccepting()
        // grpc-js first reports the broken connection to its streams.
        setImmediate(() => this.#drain())
      }
      if (next === connectivityState.TRANSIENT_FAILURE && before !== next) {
        connections.failures++
        report?.('connection_failed', where)
        this.#couldNotConnect()
      }
      this.#count()
    }
    this.#channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, onStateChange)
  }

  /** grpc-js reports READY when the server's SETTINGS have come. */
  #ready(): void {
    this.#cancelConnectTimer?.()
    this.#cancelConnectTimer = undefined
    this.#opening.forget()
    this.#cancelAgeTimer ??= systemClock.schedule(this.#context.transport.connection.maxAgeMs, () => this.#drain())
    const ready = [...this.#waiting]
    this.#waiting.clear()
    for (const listener of ready) listener.onReady()
  }

  #count(): void {
    const { connections } = this.#context.transport.counters
    connections.inUse = connections.streams > 0 ? connections.open : 0
  }
}
