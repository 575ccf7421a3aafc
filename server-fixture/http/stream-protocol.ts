/** The parts of a stream of messages in which Connect, gRPC and gRPC-Web differ: all have the same envelopes. */
import type { Codec } from '../../src/codec/codec.ts'
import { encodeEnvelope, endStreamFlag } from '../../src/codec/envelope.ts'
import { type BlobwireError, invalidArgument } from '../../src/core/error.ts'
import { connectErrorObject } from './errors.ts'
import { type Exchange, headerOf } from './exchange.ts'

/** How a protocol names the encodings of messages, and how it ends an answer. */
export interface StreamProtocol {
  /** Header with the encoding of compressed messages. */
  readonly encodingHeader: 'connect-content-encoding' | 'grpc-encoding'
  /** Header with the encodings that a side accepts. */
  readonly acceptHeader: 'connect-accept-encoding' | 'grpc-accept-encoding'
  /** The trailers of HTTP that end an answer; undefined = its end is in its body. */
  readonly trailers: readonly string[] | undefined
  contentType(codec: Pick<Codec, 'name'>): string
  /** The time for the call that the client tells; undefined = none. @throws BlobwireError `invalid_argument` */
  timeoutMs(exchange: Exchange): number | undefined
  /** Ends an answer, with an error or without: returns the last bytes of the body, or sets the trailers. */
  end(exchange: Exchange, error: BlobwireError | undefined): Uint8Array | undefined
}

/** The time for a call of Connect, unary or a stream. @throws BlobwireError `invalid_argument` */
export function connectTimeoutMs(exchange: Exchange): number | undefined {
  const text = headerOf(exchange, 'connect-timeout-ms')
  if (text === undefined) return undefined
  if (!/^\d{1,10}$/.test(text)) throw invalidArgument('connect-timeout-ms', 'must be at most ten digits')
  return Number(text)
}

/** Connect: an end-stream message (connectrpc.com, "Connect Protocol Reference", "Streaming RPCs"). */
export const connectStreams: StreamProtocol = {
  encodingHeader: 'connect-content-encoding',
  acceptHeader: 'connect-accept-encoding',
  trailers: undefined,
  contentType: (codec) => `application/connect+${codec.name}`,
  timeoutMs: connectTimeoutMs,
  end(exchange, error) {
    const end = error ? { error: connectErrorObject(error, exchange.record.requestId) } : {}
    return encodeEnvelope(endStreamFlag, Buffer.from(JSON.stringify(end)))
  }
}
