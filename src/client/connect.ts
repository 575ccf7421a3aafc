import type { Codec } from '../codec/codec.ts'
import { jsonCodec } from '../codec/json.ts'
import { msgpackCodec } from '../codec/msgpack.ts'
import { type Endpoint, originOf, parseEndpoint } from '../connection/endpoint.ts'
import { openHttpConnection } from '../connection/http-connection.ts'
import type { Counters } from '../core/counters.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'
import { createHttpTransport } from '../transport/http/transport.ts'
import type { Transport } from '../transport/transport.ts'
import type { ResolvedOptions } from './options.ts'

/** Host names that mean "the one you asked". */
const sameHost = new Set(['', '0.0.0.0', '[::]'])

/** In which form operations are prepared; gRPC takes MessagePack's, where bytes are bytes. */
export function codecOf(name: TransportName): Codec {
  return name === 'json' ? jsonCodec : msgpackCodec
}

/** The HTTP form over JSON or MessagePack. */
export function connectHttp(name: 'json' | 'msgpack', options: ResolvedOptions, counters: Counters): Transport {
  const connection = openHttpConnection(options.endpoint, options, counters.connections)
  return createHttpTransport({ codec: codecOf(name), connection, counters }, options)
}

/** gRPC; grpc-js and the proto file are loaded only by clients that use them. */
export async function connectGrpc(
  endpoint: Endpoint,
  options: ResolvedOptions,
  counters: Counters
): Promise<Transport> {
  const { createGrpcTransport } = await import('../transport/grpc/transport.ts')
  return createGrpcTransport({ endpoint, tls: options.tls, connection: options.connection, counters }, options)
}

/**
 * Where gRPC listens, by the capabilities read from an HTTP endpoint.
 * @throws BlobwireError `unimplemented` where it does not
 */
export function grpcEndpoint(capabilities: Messages['GetCapabilitiesResponse'], asked: Endpoint): Endpoint {
  const url = capabilities.transports.find(({ transport }) => transport === 'grpc')?.url
  if (url === undefined) {
    const message = `${originOf(asked)} does not serve gRPC`
    throw new BlobwireError({ code: 'unimplemented', reason: 'no_grpc', message })
  }
  // A port without a host cannot be parsed as a URL.
  const found = parseEndpoint(url.replace('//:', '//0.0.0.0:').replace(/^http/, 'grpc'))
  // A token or a secret connection must not be moved to cleartext by what a server says.
  if (asked.secure && !found.secure) {
    const message = `${originOf(asked)} names a cleartext gRPC endpoint`
    throw new BlobwireError({ code: 'failed_precondition', reason: 'downgrade_refused', message })
  }
  return sameHost.has(found.hostname) ? { ...found, hostname: asked.hostname } : found
}
