import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  compressionAlgorithms,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceError
} from '@grpc/grpc-js'
import type { ServiceDefinition } from '@grpc/proto-loader'
import { loadProto } from '../../codec/proto.ts'
import { checkMessage, pruneMessage } from '../../codec/shape-check.ts'
import { authorityOf, type Endpoint } from '../../connection/endpoint.ts'
import { secureContext, type TlsOptions } from '../../connection/tls.ts'
import type { Counters } from '../../core/counters.ts'
import type { Messages } from '../../schema/messages.ts'
import { methods, serviceName } from '../../schema/methods.ts'
import type { Init, ShapeName } from '../../schema/shape.ts'
import { malformedResponse } from '../errors.ts'
import { type Call, gzipThresholdBytes, type Transport, type TransportOptions } from '../transport.ts'
import { compressWhatPays } from './compression.ts'
import { errorFromService } from './errors.ts'
import { refusePushes } from './pushes.ts'
import { openGrpcSession } from './session.ts'

/** What gRPC is spoken over; grpc-js owns its sockets. */
export interface GrpcTransportParts {
  readonly endpoint: Endpoint
  readonly tls: TlsOptions
  readonly counters: Counters
}

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

function channelOptions(parts: GrpcTransportParts, options: TransportOptions): ChannelOptions {
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

const asIs = (bytes: Buffer) => bytes

/** gRPC over HTTP/2 (grpc.io, "gRPC over HTTP2"), through grpc-js. */
export function createGrpcTransport(parts: GrpcTransportParts, options: TransportOptions): Transport {
  const { counters } = parts
  refusePushes()
  const service = loadProto()[serviceName] as ServiceDefinition
  const client = new Client(authorityOf(parts.endpoint), channelCredentials(parts), channelOptions(parts, options))

  const interceptors = options.gzip ? [compressWhatPays(gzipThresholdBytes)] : []
  const methodOf = (name: string) => service[name] as MethodDefinition<object, object>

  function unary(call: Call): Promise<object> {
    const { path, requestSerialize, responseDeserialize } = methodOf(call.method.name)
    const deserialize = (bytes: Buffer) => {
      counters.bytesReceived += bytes.length
      return responseDeserialize(bytes)
    }
    const request = requestSerialize(pruneMessage(call.method.request, call.request as Init<Messages[ShapeName]>))
    counters.bytesSent += request.length
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(call.headers)) metadata.set(name, value)
    counters.requests++
    return new Promise((resolve, reject) => {
      const stream = client.makeUnaryRequest(
        path,
        asIs,
        deserialize,
        request,
        metadata,
        { deadline: Date.now() + call.remainingMs(), interceptors },
        (error: ServiceError | null, response?: object) => {
          call.signal.removeEventListener('abort', cancel)
          if (error) reject(errorFromService(error).with({ transport: 'grpc', attempts: 1 }))
          else resolve(response ?? {})
        }
      )
      const cancel = () => stream.cancel()
      call.signal.addEventListener('abort', cancel)
      // It may have ended before it came here.
      if (call.signal.aborted) cancel()
    })
  }

  return {
    name: 'grpc',
    async unary(call) {
      const response = await unary(call)
      try {
        return checkMessage(call.method.response, response)
      } catch (error) {
        throw malformedResponse((error as Error).message, error).with({ transport: 'grpc', attempts: 1 })
      }
    },
    openSession(opening) {
      return openGrpcSession({ client, method: methodOf(methods.session.name), gzip: options.gzip, counters }, opening)
    },
    async close() {
      client.close()
    }
  }
}
