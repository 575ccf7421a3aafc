/** gRPC and gRPC-Web by their content types (gRPC over HTTP2; gRPC, `PROTOCOL-WEB.md`). */
import type { Codec } from '../../src/codec/codec.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { protobufCodec } from '../../src/codec/protobuf-codec.ts'
import { invalidArgument } from '../../src/core/error.ts'
import { type Exchange, headerOf } from '../http/exchange.ts'
import type { StreamProtocol } from '../http/stream-protocol.ts'
import { statusTrailers, trailersEnvelope } from './trailers.ts'

/** Units of `grpc-timeout`. */
const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }

function timeoutMs(exchange: Pick<Exchange, 'headers'>): number | undefined {
  const text = headerOf(exchange, 'grpc-timeout')
  if (text === undefined) return undefined
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? []
  if (digits === undefined)
    throw invalidArgument('grpc-timeout', 'must be at most eight digits and a unit of H M S m u n')
  return Number(digits) * (unitMs[unit] as number)
}

const headers = { encodingHeader: 'grpc-encoding', acceptHeader: 'grpc-accept-encoding', timeoutMs } as const

const grpcStreams: StreamProtocol = {
  ...headers,
  trailers: ['grpc-status', 'grpc-message', 'grpc-status-details-bin', 'x-request-id'],
  contentType: (codec) => `application/grpc+${codec.name}`,
  end(exchange, error) {
    exchange.setTrailers(statusTrailers(error, exchange.record.requestId))
    return undefined
  }
}

const webStreams: StreamProtocol = {
  ...headers,
  trailers: undefined,
  contentType: (codec) => `application/grpc-web+${codec.name}`,
  end: (exchange, error) => trailersEnvelope(statusTrailers(error, exchange.record.requestId))
}

/** Base64, for browsers that read no bytes: `text-exchange.ts` encodes. */
const webTextStreams: StreamProtocol = {
  ...webStreams,
  contentType: (codec) => `application/grpc-web-text+${codec.name}`
}

/** A content type of gRPC. */
export interface GrpcType {
  readonly protocol: StreamProtocol
  readonly codec: Codec
  /** Bodies are base64. */
  readonly isText: boolean
}

const bases = [
  ['application/grpc', grpcStreams],
  ['application/grpc-web', webStreams],
  ['application/grpc-web-text', webTextStreams]
] as const
const types = new Map<string, GrpcType>(
  bases.flatMap(([base, protocol]) => {
    const typeOf = (codec: Codec) => ({ protocol, codec, isText: protocol === webTextStreams })
    return [
      [base, typeOf(protobufCodec)],
      [`${base}+proto`, typeOf(protobufCodec)],
      [`${base}+json`, typeOf(jsonCodec)]
    ] as const
  })
)

/** The content types, as `accept-post` tells them. */
export const grpcTypes: readonly string[] = [...types.keys()]

/** The type of a request; undefined = it is none of gRPC. */
export function grpcTypeOf(exchange: Pick<Exchange, 'headers'>): GrpcType | undefined {
  const type = headerOf(exchange, 'content-type')
  if (!type?.startsWith('application/grpc')) return undefined
  return types.get((type.split(';', 1)[0] as string).trim().toLowerCase())
}
