/** Makes the transports of one client. */

import type { AddressLookup } from '../balance/name-channels.ts'
import type { Codec } from '../codec/codec.ts'
import { jsonCodec } from '../codec/json.ts'
import { msgpackCodec } from '../codec/msgpack.ts'
import { machineHeader } from '../compression/compression.ts'
import { literalAddress } from '../connection/dial/address-guard.ts'
import { proxyFor } from '../connection/dial/proxy.ts'
import { CachingResolver } from '../connection/dial/resolver.ts'
import { secureContext } from '../connection/dial/tls.ts'
import { authorityOf, type Endpoint, hostOf, originOf, parseEndpoint } from '../connection/endpoint.ts'
import { loadGrpcJs } from '../connection/grpc/grpc-js.ts'
import { openHttpConnection } from '../connection/http2/http-connection.ts'
import { systemClock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import { userAgentOf } from '../core/user-agent.ts'
import type { ResolvedConnectionOptions } from '../options/types.ts'
import { machineMark } from '../platform/machine.ts'
import { emitWarning } from '../platform/warnings.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import type { Report } from '../telemetry/client-event.ts'
import { createHttpTransport } from '../transport/http/transport.ts'
import type { Transport } from '../transport/transport.ts'
import type { ResolvedOptions } from './options.ts'

/** Host names in capabilities that stand for the host that was asked. */
const sameHost = new Set(['', '0.0.0.0', '[::]'])

const isLoopback = (hostname: string) => hostname === 'localhost' || /^127\.|^\[::1\]$/.test(hostname)

/** All names of this machine for itself are the same host. */
function isSameHost(one: string, other: string): boolean {
  return one === other || (isLoopback(one) && isLoopback(other))
}

/** The codec for a transport's operations; gRPC takes the wire objects of MessagePack, where bytes are bytes. */
export function codecOf(name: TransportName): Codec<'json' | 'msgpack'> {
  return name === 'json' ? jsonCodec : msgpackCodec
}

/** Makes the transports of one client. */
export class TransportFactory {
  readonly #options: ResolvedOptions
  readonly #counters: Counters
  readonly #report: Report
  /** Transports that ask an endpoint for its gRPC address. */
  readonly #asking = new Set<Transport>()
  readonly #resolver = new CachingResolver(systemClock)

  /** @throws BlobwireError `invalid_argument` where a certificate or key cannot be read */
  constructor(options: ResolvedOptions, counters: Counters, report: Report) {
    secureContext(options.tls)
    if (options.tls.rejectUnauthorized === false) warnOnce()
    this.#options = options
    this.#counters = counters
    this.#report = report
  }

  /**
   * A transport to one endpoint, which is named as the option names it; to one address of it, if that is given.
   * @throws BlobwireError
   */
  async connect(text: string, transport: TransportName, address?: string): Promise<Transport> {
    const { endpoint: named, connection } = this.#found(text)
    const endpoint = { ...named, address }
    if (transport !== 'grpc') return this.#http(transport, endpoint, connection)
    if (endpoint.protocol === 'grpc') return this.#grpc(endpoint, connection)
    const http = this.#http('json', endpoint, connection)
    this.#asking.add(http)
    const { timeoutMs, userAgent } = this.#options
    const headers = { 'user-agent': userAgentOf(userAgent), ...this.#options.headers }
    try {
      const asked = http.unary({
        method: methods.getCapabilities,
        request: {},
        headers,
        signal: AbortSignal.timeout(timeoutMs),
        remainingMs: () => timeoutMs
      })
      const answer = await asked.catch((error) => {
        if (error instanceof BlobwireError && error.is('no_http_form')) return undefined
        throw error
      })
      // Servers print their gRPC address with http://. It is the host that was given, with or without TLS as it was given.
      if (answer === undefined) return await this.#grpc({ ...endpoint, protocol: 'grpc' }, connection)
      const named = grpcEndpoint(answer as Messages['GetCapabilitiesResponse'], endpoint)
      this.#checkHost(named, endpoint)
      return await this.#grpc(named, connection)
    } finally {
      this.#asking.delete(http)
      await http.close()
    }
  }

  /** The addresses of an endpoint with the option `addresses: 'all'`; undefined = it has no name, or a proxy looks it up. */
  addressesOf(text: string): AddressLookup | undefined {
    const { endpoint, connection } = this.#found(text)
    const host = hostOf(endpoint)
    if (connection.addresses === 'one' || literalAddress(host) || proxyFor(connection.proxy, endpoint)) return undefined
    return (anew) => this.#resolver.addresses(host, anew)
  }

  #found(text: string): { readonly endpoint: Endpoint; readonly connection: ResolvedConnectionOptions } {
    const { endpoints, endpointOptions, connection } = this.#options
    return {
      endpoint: endpoints.get(text) ?? parseEndpoint(text),
      connection: endpointOptions.get(text)?.connection ?? connection
    }
  }

  /** Ends the requests for gRPC addresses. */
  async close(): Promise<void> {
    this.#resolver.close()
    await Promise.all([...this.#asking].map((transport) => transport.close()))
  }

  /** The answer of a server must not move a token to a host that the application did not give. */
  #checkHost(named: Endpoint, asked: Endpoint): void {
    const given = [asked, ...this.#options.endpoints.values()]
    if (given.some((endpoint) => isSameHost(endpoint.hostname, named.hostname))) return
    const scheme = named.secure ? 'grpcs' : 'grpc'
    const message =
      `${originOf(asked)} names another host for gRPC, ${authorityOf(named)}, and the client sends tokens to given ` +
      `hosts only; where this host is the right one, give ${scheme}://${authorityOf(named)} as the option endpoint`
    throw new BlobwireError({ reason: 'host_refused', message })
  }

  /** A transport over HTTP; a `grpc://` endpoint may serve it on the same port, such as behind a proxy. */
  #http(name: 'json' | 'msgpack', endpoint: Endpoint, options: ResolvedConnectionOptions): Transport {
    const { tls } = this.#options
    const http = { ...endpoint, protocol: 'http' } as const
    const connection = openHttpConnection(http, { tls, connection: options, report: this.#report }, this.#counters)
    const mark = this.#options.compression === 'auto' && isLoopback(endpoint.hostname) ? machineMark() : ''
    const machine = mark === '' ? undefined : { [machineHeader]: mark }
    return createHttpTransport({ codec: codecOf(name), connection, counters: this.#counters, machine }, this.#options)
  }

  /** A gRPC transport; only clients that use gRPC load grpc-js. */
  async #grpc(endpoint: Endpoint, connection: ResolvedConnectionOptions): Promise<Transport> {
    const { tls } = this.#options
    const userAgent = userAgentOf(this.#options.userAgent)
    const [grpc, { createGrpcTransport }] = await Promise.all([loadGrpcJs(), import('../transport/grpc/transport.ts')])
    return createGrpcTransport(
      { grpc, endpoint, tls, connection, userAgent, counters: this.#counters, report: this.#report },
      this.#options
    )
  }
}

/**
 * The gRPC endpoint that the capabilities of an HTTP endpoint name.
 * @throws BlobwireError `unimplemented` where they name none
 */
function grpcEndpoint(capabilities: Messages['GetCapabilitiesResponse'], asked: Endpoint): Endpoint {
  const url = capabilities.transports.find(({ transport }) => transport === 'grpc')?.url
  if (url === undefined) {
    const hint =
      capabilities.transports.length === 0 ? 'is it a blobwire server?' : 'use the transport msgpack, json or auto'
    const message = `${originOf(asked)} names no address for gRPC; ${hint}`
    throw new BlobwireError({ reason: 'no_grpc', message })
  }
  // A port without a host cannot be parsed as a URL.
  const found = parseEndpoint(url.replace('//:', '//0.0.0.0:').replace(/^http/, 'grpc'))
  // The answer of a server must not move a token or an encrypted connection to cleartext.
  if (asked.secure && !found.secure) {
    const message = `${originOf(asked)} names a cleartext address for gRPC; a TLS endpoint must name one with TLS`
    throw new BlobwireError({ reason: 'downgrade_refused', message })
  }
  // Each address has a server of its own, which names its own port.
  const isSame = sameHost.has(found.hostname) || [asked.hostname, asked.address].includes(hostOf(found))
  return isSame ? { ...found, hostname: asked.hostname, address: asked.address } : found
}

let hasWarned = false

function warnOnce(): void {
  if (!hasWarned)
    emitWarning(
      'the certificates of servers are not checked (tls.rejectUnauthorized)',
      'anyone on the way can read the token'
    )
  hasWarned = true
}
