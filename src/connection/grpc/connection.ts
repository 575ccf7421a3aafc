import { Client, connectivityState, Metadata, status } from '@grpc/grpc-js'
import { systemClock } from '../../core/clock.ts'
import { BlobwireError } from '../../core/error.ts'
import type { ProxyAddress } from '../dial/proxy.ts'
import { authorityOf } from '../endpoint.ts'
import { connectionDead, maxResetStreams, suspectTimeoutMs } from '../health.ts'
import { channelCredentials, channelOptions } from './channel-options.ts'
import type { GrpcEndpoint, GrpcMessageOptions } from './grpc-endpoint.ts'
import { OpeningSockets } from './opening-sockets.ts'

/** What a call or a session hears of its connection. */
export interface StreamListener {
  /** The connection that it waited for stands. */
  onReady(): void
  /** The connection takes nothing new. */
  onGoaway(): void
  /** Nobody is there any more, or nobody could be reached. */
  onLost(error: BlobwireError): void
}

/** How a connection is made. */
export interface GrpcConnectionContext {
  readonly transport: GrpcEndpoint
  readonly options: GrpcMessageOptions
  readonly proxy: ProxyAddress | undefined
  /** It takes nothing new; what is in flight may go on. */
  onDraining(connection: GrpcConnection): void
  /** It is closed. */
  onClosed(connection: GrpcConnection): void
}

/** gRPC's health checking protocol; a server without it answers that it has none, which is as good. */
const healthPath = '/grpc.health.v1.Health/Check'

/** Serializes messages that are bytes already. */
export const asIs = (bytes: Buffer): Buffer => bytes

/**
 * A channel of grpc-js for one connection, opened by the first call. It is left for another one when the connection ends,
 * is dead, old or cannot be opened in time: grpc-js has no way to close just its connection. What a server refuses on its
 * way out grpc-js repeats on the same channel, for which it may connect once more.
 */
export class GrpcConnection {
  /** What calls are made on, between `begin` and `end`. */
  readonly client: Client
  readonly #context: GrpcConnectionContext
  readonly #channel: ReturnType<Client['getChannel']>
  readonly #opening = new OpeningSockets()
  readonly #listeners = new Set<StreamListener>()
  /** Those that began when no connection stood. */
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
    const address = authorityOf(proxy ? { ...transport.endpoint, ...proxy } : transport.endpoint)
    this.client = new Client(OpeningSockets.target(address), channelCredentials(transport, proxy), {
      ...channelOptions(transport, options, proxy),
      ...this.#opening.channelOptions
    })
    this.#channel = this.client.getChannel()
    this.#watch()
  }

  /** Answers so far, to tell whether any came since. */
  get messagesReceived(): number {
    return this.#messagesReceived
  }

  /** Something has come from the server. */
  messageReceived(): void {
    this.#messagesReceived++
    this.#streamReset = 0
  }

  /** The server has reset a stream without an answer. */
  streamReset(): void {
    if (++this.#streamReset >= maxResetStreams) this.#drain()
  }

  /** Whether no connection has stood since this began. */
  isWaiting(listener: StreamListener): boolean {
    return this.#waiting.has(listener)
  }

  /** A call or a session begins. Where no connection stands it waits `connectTimeoutMs` at most. */
  begin(listener: StreamListener): void {
    const { counters, connection } = this.#context.transport
    counters.connections.totalStreams++
    counters.connections.streams++
    this.#listeners.add(listener)
    if (this.#channel.getConnectivityState(false) !== connectivityState.READY) {
      this.#waiting.add(listener)
      this.#cancelConnectTimer ??= systemClock.schedule(connection.connectTimeoutMs, () => this.#connectTimedOut())
    }
    this.#count()
  }

  /** It is over. */
  end(listener: StreamListener): void {
    this.#context.transport.counters.connections.streams--
    this.#listeners.delete(listener)
    this.#waiting.delete(listener)
    this.#count()
    if (this.#isDraining && this.#listeners.size === 0) this.close()
  }

  /** A call has waited in vain: asks whether anybody is there, and leaves if not. One question at a time. */
  suspect(): void {
    if (this.#probing || this.#closed) return
    this.#probing = true
    const before = this.#messagesReceived
    const deadline = Date.now() + suspectTimeoutMs
    this.client.makeUnaryRequest(healthPath, asIs, asIs, Buffer.alloc(0), new Metadata(), { deadline }, (error) => {
      this.#probing = false
      const isDead = error?.code === status.DEADLINE_EXCEEDED && this.#messagesReceived === before
      if (isDead && !this.#closed) this.#fail(this.#listeners, connectionDead(suspectTimeoutMs))
    })
  }

  /** Lets go of it. */
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

  /** What had a connection before, such as what a GOAWAY left open, still goes on. */
  #connectTimedOut(): void {
    const { counters, connection, endpoint } = this.#context.transport
    counters.connections.failures++
    const message = `no connection to ${authorityOf(endpoint)} within ${connection.connectTimeoutMs} ms`
    this.#fail(this.#waiting, new BlobwireError({ reason: 'connect_timeout', message }))
  }

  #fail(listeners: ReadonlySet<StreamListener>, error: BlobwireError): void {
    this.#stopAccepting()
    for (const listener of [...listeners]) {
      listener.onLost(error.with({ sent: this.#waiting.has(listener) ? 'never' : 'maybe' }))
    }
    this.close()
  }

  /** It takes nothing new, and is closed when its last stream has ended. */
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

  /** The channel leaves READY when its connection breaks, and as soon as a GOAWAY comes. */
  #watch(): void {
    const { connections } = this.#context.transport.counters
    let state = this.#channel.getConnectivityState(false)
    let isOpen = false
    const onStateChange = (error?: Error) => {
      const next = error ? connectivityState.SHUTDOWN : this.#channel.getConnectivityState(false)
      if (next === connectivityState.READY && !isOpen) {
        isOpen = true
        connections.opened++
        connections.open++
        this.#ready()
      } else if (next !== connectivityState.READY && isOpen) {
        isOpen = false
        connections.open--
        this.#stopAccepting()
        // Streams on a connection that broke hear of that first.
        setImmediate(() => this.#drain())
      }
      if (next === connectivityState.TRANSIENT_FAILURE && state !== next) connections.failures++
      state = next
      this.#count()
      if (next !== connectivityState.SHUTDOWN) {
        this.#channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, onStateChange)
      }
    }
    this.#channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, onStateChange)
  }

  /** grpc-js says so when the server's SETTINGS have come. */
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
