/** The parts of a stream of messages in which Connect, gRPC and gRPC-Web differ: all have the same envelopes. */
import type { Codec } from '../../src/codec/codec.ts'
import { encodeEnvelope, endStreamFlag } from '../../src/codec/envelope.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import { connectErrorObject } from './errors.ts'
import type { Exchange } from './exchange.ts'

/** How a protocol names the encodings of messages, and how it ends an answer. */
export interface StreamProtocol {
  /** Header with the encoding of compressed messages. */
  readonly encodingHeader: 'connect-content-encoding' | 'grpc-encoding'
  /** Header with the encodings that a side accepts. */
  readonly acceptHeader: 'connect-accept-encoding' | 'grpc-accept-encoding'
  /** The trailers of HTTP that end an answer; undefined = its end is in its body. */
  readonly trailers: readonly string[] | undefined
  contentType(codec: Codec): string
  /** Ends an answer, with an error or without: returns the last bytes of the body, or sets the trailers. */
  end(exchange: Exchange, error: BlobwireError | undefined): Uint8Array | undefined
}

/** Connect: an end-stream message (connectrpc.com, "Connect Protocol Reference", "Streaming RPCs"). */
export const connectStreams: StreamProtocol = {
  encodingHeader: 'connect-content-encoding',
  acceptHeader: 'connect-accept-encoding',
  trailers: undefined,
  contentType: (codec) => `application/connect+${codec.name}`,
  end(exchange, error) {
    const end = error ? { error: connectErrorObject(error, exchange.record.requestId) } : {}
    return encodeEnvelope(endStreamFlag, Buffer.from(JSON.stringify(end)))
  }
}
