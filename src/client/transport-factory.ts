import type { Codec } from '../codec/codec.ts'
import { jsonCodec } from '../codec/json.ts'
import { msgpackCodec } from '../codec/msgpack.ts'
import { secureContext } from '../connection/dial/tls.ts'
import { type Endpoint, originOf, parseEndpoint } from '../connection/endpoint.ts'
import { openHttpConnection } from '../connection/http2/http-connection.ts'
import type { Counters } from '../core/counters.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { createHttpTransport } from '../transport/http/transport.ts'
import type { Transport } from '../transport/transport.ts'
import type { ResolvedOptions } from './options.ts'

/** Host names that mean "the one you asked". */
const sameHost = new Set(['', '0.0.0.0', '[::]'])

/** In which form operations are prepared; gRPC takes MessagePack's, where bytes are bytes. */
export function codecOf(name: TransportName): Codec {
  return name === 'json' ? jsonCodec : msgpackCodec
}

/** Makes the transports of a client. In `client`, this file alone reaches the network functions of Node. */
export class TransportFactory {
  readonly #options: ResolvedOptions
  readonly #counters: Counters
  /** Only while an endpoint is asked where gRPC listens. */
  readonly #asking = new Set<Transport>()

  /** @throws BlobwireError `invalid_argument` where a certificate or key cannot be read */
  constructor(options: ResolvedOptions, counters: Counters) {
    secureContext(options.tls)
    this.#options = options
    this.#counters = counters
  }

  /** The way to one endpoint, by the text it was given as. @throws BlobwireError */
  async connect(text: string, transport: TransportName): Promise<Transport> {
    const endpoint = this.#options.endpoints.get(text) ?? parseEndpoint(text)
    if (transport !== 'grpc') return this.#http(transport, endpoint)
    if (endpoint.protocol === 'grpc') return this.#grpc(endpoint)
    const http = this.#http('json', endpoint)
    this.#asking.add(http)
    const { headers, timeoutMs } = this.#options
    try {
      const answer = await http.unary({
        method: methods.getCapabilities,
        request: {},
        headers,
        signal: AbortSignal.timeout(timeoutMs),
        remainingMs: () => timeoutMs
      })
      return await this.#grpc(grpcEndpoint(answer as Messages['GetCapabilitiesResponse'], endpoint))
    } finally {
      this.#asking.delete(http)
      await http.close()
    }
  }

  /** Ends the asking that is under way. */
  async close(): Promise<void> {
    await Promise.all([...this.#asking].map((transport) => transport.close()))
  }

  /** The HTTP form; an endpoint that was given for gRPC may serve it on the same port, as behind a proxy. */
  #http(name: 'json' | 'msgpack', endpoint: Endpoint): Transport {
    const connection = openHttpConnection({ ...endpoint, protocol: 'http' }, this.#options, this.#counters.connections)
    return createHttpTransport({ codec: codecOf(name), connection, counters: this.#counters }, this.#options)
  }

  /** gRPC; grpc-js and the proto file are loaded only by clients that use them. */
  async #grpc(endpoint: Endpoint): Promise<Transport> {
    const { tls, connection } = this.#options
    const { createGrpcTransport } = await import('../transport/grpc/transport.ts')
    return createGrpcTransport({ endpoint, tls, connection, counters: this.#counters }, this.#options)
  }
}

/**
 * Where gRPC listens, by the capabilities read from an HTTP endpoint.
 * @throws BlobwireError `unimplemented` where it does not
 */
function grpcEndpoint(capabilities: Messages['GetCapabilitiesResponse'], asked: Endpoint): Endpoint {
  const url = capabilities.transports.find(({ transport }) => transport === 'grpc')?.url
  if (url === undefined) {
    const message = `${originOf(asked)} does not serve gRPC; use the transport msgpack, json or auto`
    throw new BlobwireError({ reason: 'no_grpc', message })
  }
  // A port without a host cannot be parsed as a URL.
  const found = parseEndpoint(url.replace('//:', '//0.0.0.0:').replace(/^http/, 'grpc'))
  // A token or a secret connection must not be moved to cleartext by what a server says.
  if (asked.secure && !found.secure) {
    const message = `${originOf(asked)} names a cleartext address for gRPC; a TLS endpoint must name one with TLS`
    throw new BlobwireError({ reason: 'downgrade_refused', message })
  }
  return sameHost.has(found.hostname) ? { ...found, hostname: asked.hostname } : found
}
