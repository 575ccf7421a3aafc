/** The way to a gRPC server. grpc-js owns the sockets; this says how, counts them, and notices when they change. */
import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  compressionAlgorithms,
  connectivityState,
  credentials,
  Metadata,
  status
} from '@grpc/grpc-js'
import { authorityOf, type Endpoint } from '../../connection/endpoint.ts'
import type { ResolvedConnectionOptions } from '../../connection/options.ts'
import { type ProxyAddress, proxyFor } from '../../connection/proxy.ts'
import { secureContext, type TlsOptions } from '../../connection/tls.ts'
import type { Counters } from '../../core/counters.ts'
import { BlobwireError, invalidArgument } from '../../core/error.ts'
import type { TransportOptions } from '../transport.ts'

/** What gRPC is spoken over; grpc-js owns its sockets. */
export interface GrpcTransportParts {
  readonly endpoint: Endpoint
  readonly tls: TlsOptions
  readonly connection: ResolvedConnectionOptions
  readonly counters: Counters
}

/** What streams that stay open hear of their channel. */
export interface ChannelListener {
  /** There is a connection; also where there was one when it began. */
  onReady(): void
  /** The connection takes nothing new. */
  onMove(): void
  /** Nobody is there any more. */
  onLost(error: BlobwireError): void
}

/** Time for an answer of any kind from a server that is suspect, in milliseconds. */
const suspectTimeoutMs = 1000
/** gRPC's health checking protocol; a server without it answers that it has none, which is as good. */
const healthPath = '/grpc.health.v1.Health/Check'
const asIs = (bytes: Buffer) => bytes

/** As for HTTP: 64 KiB would cap bulk transfer at 3 MiB/s over 20 ms. */
const windowBytes = 8 * 1024 * 1024

/**
 * The name asked for in TLS (SNI). An address cannot be one (RFC 6066 section 3), yet grpc-js sends the host whatever it
 * is, and Node 26 refuses that; a name that belongs to nobody stands in, and the certificate is held against the address.
 */
function tlsName({ endpoint, tls }: GrpcTransportParts): string | undefined {
  return tls.serverName ?? (isIP(addressOf(endpoint)) === 0 ? undefined : 'address.invalid')
}

const addressOf = (endpoint: Endpoint) => endpoint.hostname.replace(/^\[|\]$/g, '')

function channelOptions(
  parts: GrpcTransportParts,
  options: TransportOptions,
  proxy: ProxyAddress | undefined
): ChannelOptions {
  const { serverName } = parts.tls
  const name = tlsName(parts)
  return {
    // grpc-js would follow http_proxy and its like without a word, even to 127.0.0.1.
    'grpc.enable_http_proxy': 0,
    // Retries are the pipeline's; two layers of them multiply.
    'grpc.enable_retries': 0,
    'grpc.max_receive_message_length': options.maxResponseBytes,
    'grpc.max_send_message_length': -1,
    'grpc-node.flow_control_window': windowBytes,
    'grpc.initial_reconnect_backoff_ms': 100,
    // A server that is there again is found within a second.
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.keepalive_time_ms': Math.ceil(parts.connection.pingIntervalMs),
    'grpc.keepalive_timeout_ms': Math.ceil(parts.connection.pingTimeoutMs),
    'grpc.keepalive_permit_without_calls': 0,
    ...(proxy ? { 'grpc.http_connect_target': `dns:${authorityOf(parts.endpoint)}` } : {}),
    ...(proxy?.credentials ? { 'grpc.http_connect_creds': proxy.credentials } : {}),
    ...(proxy ? { 'grpc.default_authority': authorityOf(parts.endpoint) } : {}),
    // Two clients never share a connection: each closes its own.
    'grpc.use_local_subchannel_pool': 1,
    ...(options.gzip ? { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip } : {}),
    ...(parts.endpoint.secure && name !== undefined ? { 'grpc.ssl_target_name_override': name } : {}),
    ...(serverName === undefined ? {} : { 'grpc.default_authority': serverName })
  }
}

function channelCredentials({ endpoint, tls }: GrpcTransportParts): ChannelCredentials {
  if (!endpoint.secure) return credentials.createInsecure()
  return credentials.createFromSecureContext(secureContext(tls), {
    checkServerIdentity: (_name, certificate) =>
      checkServerIdentity(tls.serverName ?? addressOf(endpoint), certificate as PeerCertificate)
  })
}

/** A channel that is replaced when its connection turns out to be dead: grpc-js has no way to close just that. */
export class GrpcChannel {
  readonly #parts: GrpcTransportParts
  readonly #options: TransportOptions
  readonly #proxy: ProxyAddress | undefined
  readonly #listeners = new Set<ChannelListener>()
  #client: Client
  #heard = 0
  #asking = false
  #closed = false

  /** @throws BlobwireError `invalid_argument` for a proxy that is spoken to over TLS */
  constructor(parts: GrpcTransportParts, options: TransportOptions) {
    this.#parts = parts
    this.#options = options
    this.#proxy = proxyFor(parts.connection.proxy, parts.endpoint)
    if (this.#proxy?.secure) throw invalidArgument('connection.proxy', 'gRPC reaches proxies by http:// only')
    this.#client = this.#open()
  }

  /** What new calls are made on. */
  get client(): Client {
    return this.#client
  }

  /** Answers so far, to tell whether any came since. */
  get heard(): number {
    return this.#heard
  }

  /** Something has come from the server. */
  hear(): void {
    this.#heard++
  }

  /** A call or a session begins. */
  begin(listener?: ChannelListener): void {
    const { connections } = this.#parts.counters
    connections.totalStreams++
    connections.streams++
    if (listener) this.#listeners.add(listener)
    this.#count()
    const isReady = this.#client.getChannel().getConnectivityState(false) === connectivityState.READY
    if (listener && isReady) queueMicrotask(() => listener.onReady())
  }

  /** It is over. */
  end(listener?: ChannelListener): void {
    this.#parts.counters.connections.streams--
    if (listener) this.#listeners.delete(listener)
    this.#count()
  }

  /** A call has waited in vain: asks whether anybody is there, and opens a new channel if not. One question at a time. */
  suspect(): void {
    if (this.#asking || this.#closed) return
    this.#asking = true
    const before = this.#heard
    const deadline = Date.now() + suspectTimeoutMs
    const asked = this.#client
    asked.makeUnaryRequest(healthPath, asIs, asIs, Buffer.alloc(0), new Metadata(), { deadline }, (error) => {
      this.#asking = false
      const isDead = error?.code === status.DEADLINE_EXCEEDED && this.#heard === before
      if (isDead && !this.#closed && asked === this.#client) this.#replace()
    })
  }

  /** Lets go of it. */
  close(): void {
    this.#closed = true
    this.#client.close()
  }

  #open(): Client {
    const address = authorityOf(this.#proxy ? { ...this.#parts.endpoint, ...this.#proxy } : this.#parts.endpoint)
    const options = channelOptions(this.#parts, this.#options, this.#proxy)
    const client = new Client(address, channelCredentials(this.#parts), options)
    this.#watch(client)
    return client
  }

  #replace(): void {
    const old = this.#client
    this.#client = this.#open()
    const message = `nothing came on the connection within ${suspectTimeoutMs} ms of a question`
    const error = new BlobwireError({ code: 'unavailable', reason: 'connection_dead', message, sent: 'maybe' })
    for (const listener of [...this.#listeners]) listener.onLost(error)
    old.close()
  }

  /** The channel leaves READY when its connection breaks, and as soon as a GOAWAY comes. */
  #watch(client: Client): void {
    const { connections } = this.#parts.counters
    const channel = client.getChannel()
    let state = channel.getConnectivityState(false)
    let isOpen = false
    const look = (error?: Error) => {
      const next = error ? connectivityState.SHUTDOWN : channel.getConnectivityState(false)
      if (next === connectivityState.READY && !isOpen) {
        isOpen = true
        connections.opened++
        connections.open++
        if (client === this.#client) for (const listener of [...this.#listeners]) listener.onReady()
      } else if (next !== connectivityState.READY && isOpen) {
        isOpen = false
        connections.open--
        // Streams on a connection that broke hear of that first.
        if (client === this.#client) setImmediate(() => this.#move())
      }
      if (next === connectivityState.TRANSIENT_FAILURE && state !== next) connections.failures++
      state = next
      this.#count()
      if (next !== connectivityState.SHUTDOWN) channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, look)
    }
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, look)
  }

  #move(): void {
    if (!this.#closed) for (const listener of [...this.#listeners]) listener.onMove()
  }

  #count(): void {
    const { connections } = this.#parts.counters
    connections.inUse = connections.streams > 0 ? connections.open : 0
  }
}
