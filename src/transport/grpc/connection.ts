import { Client, connectivityState, Metadata, status } from '@grpc/grpc-js'
import { maxUnanswered } from '../../connection/connection.ts'
import { authorityOf } from '../../connection/endpoint.ts'
import type { ProxyAddress } from '../../connection/proxy.ts'
import { systemClock } from '../../core/clock.ts'
import { BlobwireError } from '../../core/error.ts'
import type { TransportOptions } from '../transport.ts'
import { channelCredentials, channelOptions } from './channel-options.ts'
import { OpeningSockets } from './opening-sockets.ts'
import type { GrpcTransportParts } from './parts.ts'

/** What a call or a session hears of its connection. */
export interface StreamListener {
  /** The connection that it waited for stands. */
  onReady(): void
  /** The connection takes nothing new. */
  onMove(): void
  /** Nobody is there any more, or nobody could be reached. */
  onLost(error: BlobwireError): void
}

/** How a connection is made. */
export interface GrpcConnectionParts {
  readonly transport: GrpcTransportParts
  readonly options: TransportOptions
  readonly proxy: ProxyAddress | undefined
  /** It takes nothing new; what is in flight may go on. */
  onLeave(connection: GrpcConnection): void
  /** It is closed. */
  onClosed(connection: GrpcConnection): void
}

/** Time for an answer of any kind from a server that is suspect, in milliseconds. */
const suspectTimeoutMs = 1000
/** gRPC's health checking protocol; a server without it answers that it has none, which is as good. */
const healthPath = '/grpc.health.v1.Health/Check'
const asIs = (bytes: Buffer) => bytes

/**
 * A channel of grpc-js for one connection, opened by the first call. It is left for another one when the connection ends,
 * is dead, old or cannot be opened in time: grpc-js has no way to close just its connection. What a server refuses on its
 * way out grpc-js repeats on the same channel, for which it may connect once more.
 */
export class GrpcConnection {
  /** What calls are made on, between `begin` and `end`. */
  readonly client: Client
  readonly #parts: GrpcConnectionParts
  readonly #channel: ReturnType<Client['getChannel']>
  readonly #opening = new OpeningSockets()
  readonly #listeners = new Set<StreamListener>()
  /** Those that began when no connection stood. */
  readonly #waiting = new Set<StreamListener>()
  #cancelConnectTimer: (() => void) | undefined
  #cancelAgeTimer: (() => void) | undefined
  #heard = 0
  #unanswered = 0
  #asking = false
  #left = false
  #closed = false

  constructor(parts: GrpcConnectionParts) {
    const { transport, options, proxy } = parts
    this.#parts = parts
    const address = authorityOf(proxy ? { ...transport.endpoint, ...proxy } : transport.endpoint)
    this.client = new Client(OpeningSockets.target(address), channelCredentials(transport, proxy), {
      ...channelOptions(transport, options, proxy),
      ...this.#opening.channelOptions
    })
    this.#channel = this.client.getChannel()
    this.#watch()
  }

  /** Answers so far, to tell whether any came since. */
  get heard(): number {
    return this.#heard
  }

  /** Something has come from the server. */
  hear(): void {
    this.#heard++
    this.#unanswered = 0
  }

  /** The server has reset a stream without an answer. */
  unanswered(): void {
    if (++this.#unanswered >= maxUnanswered) this.#retire()
  }

  /** Whether no connection has stood since this began. */
  isWaiting(listener: StreamListener): boolean {
    return this.#waiting.has(listener)
  }

  /** A call or a session begins. Where no connection stands it waits `connectTimeoutMs` at most. */
  begin(listener: StreamListener): void {
    const { counters, connection } = this.#parts.transport
    counters.connections.totalStreams++
    counters.connections.streams++
    this.#listeners.add(listener)
    if (this.#channel.getConnectivityState(false) !== connectivityState.READY) {
      this.#waiting.add(listener)
      this.#cancelConnectTimer ??= systemClock.schedule(connection.connectTimeoutMs, () => this.#giveUp())
    }
    this.#count()
  }

  /** It is over. */
  end(listener: StreamListener): void {
    this.#parts.transport.counters.connections.streams--
    this.#listeners.delete(listener)
    this.#waiting.delete(listener)
    this.#count()
    if (this.#left && this.#listeners.size === 0) this.close()
  }

  /** A call has waited in vain: asks whether anybody is there, and leaves if not. One question at a time. */
  suspect(): void {
    if (this.#asking || this.#closed) return
    this.#asking = true
    const before = this.#heard
    const deadline = Date.now() + suspectTimeoutMs
    this.client.makeUnaryRequest(healthPath, asIs, asIs, Buffer.alloc(0), new Metadata(), { deadline }, (error) => {
      this.#asking = false
      const isDead = error?.code === status.DEADLINE_EXCEEDED && this.#heard === before
      if (isDead && !this.#closed) this.#lose(this.#listeners, 'connection_dead', dead)
    })
  }

  /** Lets go of it. */
  close(): void {
    if (this.#closed) return
    this.#left = true
    this.#closed = true
    this.#cancelConnectTimer?.()
    this.#cancelAgeTimer?.()
    this.client.close()
    this.#opening.giveUp()
    this.#parts.onClosed(this)
  }

  /** What had a connection before, such as what a GOAWAY left open, still goes on. */
  #giveUp(): void {
    const { counters, connection } = this.#parts.transport
    counters.connections.failures++
    this.#lose(this.#waiting, 'connect_timeout', `no connection within ${connection.connectTimeoutMs} ms`)
  }

  #lose(listeners: ReadonlySet<StreamListener>, reason: string, message: string): void {
    this.#leave()
    for (const listener of [...listeners]) {
      const sent = this.#waiting.has(listener) ? 'never' : 'maybe'
      listener.onLost(new BlobwireError({ code: 'unavailable', reason, message, sent }))
    }
    this.close()
  }

  /** It takes nothing new, and is closed when its last stream has ended. */
  #retire(): void {
    if (this.#closed) return
    this.#leave()
    for (const listener of [...this.#listeners]) listener.onMove()
    // grpc-js would keep the socket of an idle channel for up to ten seconds more.
    if (this.#listeners.size === 0) this.close()
  }

  #leave(): void {
    if (this.#left) return
    this.#left = true
    this.#parts.onLeave(this)
  }

  /** The channel leaves READY when its connection breaks, and as soon as a GOAWAY comes. */
  #watch(): void {
    const { connections } = this.#parts.transport.counters
    let state = this.#channel.getConnectivityState(false)
    let isOpen = false
    const look = (error?: Error) => {
      const next = error ? connectivityState.SHUTDOWN : this.#channel.getConnectivityState(false)
      if (next === connectivityState.READY && !isOpen) {
        isOpen = true
        connections.opened++
        connections.open++
        this.#stands()
      } else if (next !== connectivityState.READY && isOpen) {
        isOpen = false
        connections.open--
        this.#leave()
        // Streams on a connection that broke hear of that first.
        setImmediate(() => this.#retire())
      }
      if (next === connectivityState.TRANSIENT_FAILURE && state !== next) connections.failures++
      state = next
      this.#count()
      if (next !== connectivityState.SHUTDOWN) {
        this.#channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, look)
      }
    }
    this.#channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, look)
  }

  /** grpc-js says so when the server's SETTINGS have come. */
  #stands(): void {
    this.#cancelConnectTimer?.()
    this.#cancelConnectTimer = undefined
    this.#opening.forget()
    this.#cancelAgeTimer ??= systemClock.schedule(this.#parts.transport.connection.maxAgeMs, () => this.#retire())
    const ready = [...this.#waiting]
    this.#waiting.clear()
    for (const listener of ready) listener.onReady()
  }

  #count(): void {
    const { connections } = this.#parts.transport.counters
    connections.inUse = connections.streams > 0 ? connections.open : 0
  }
}

const dead = `nothing came on the connection within ${suspectTimeoutMs} ms of a question`
