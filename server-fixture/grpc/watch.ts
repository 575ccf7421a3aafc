/** WatchRefs as a server stream of gRPC. */
import { Metadata, type ServerWritableStream } from '@grpc/grpc-js'
import { encodeProtobuf } from '../../src/codec/protobuf.ts'
import { methods } from '../../src/schema/methods.ts'
import { maxRequestBytes } from '../listener.ts'
import { EncodedOnce } from '../service/watch/encoded-once.ts'
import type { WatchMessage } from '../service/watch/watch-messages.ts'
import { serveWatch } from '../transfers/watch-output.ts'
import { decodeRequest, prefixBytes, type RawRequest } from './requests.ts'
import type { GrpcTransferContext } from './upload.ts'

export type WatchStream = ServerWritableStream<RawRequest, object>

/** With gRPC's prefix: the bytes go to the stream itself, so that those of one message serve all watches. */
const encoder = new EncodedOnce((message: WatchMessage) => {
  const payload = encodeProtobuf('WatchRefsResponse', message)
  const bytes = Buffer.allocUnsafe(prefixBytes + payload.length)
  bytes[0] = 0
  bytes.writeUInt32BE(payload.length, 1)
  bytes.set(payload, prefixBytes)
  return bytes
})

/** Answers one stream, until the client has gone. @throws BlobwireError with which the watch ends */
export async function handleWatch(stream: WatchStream, context: GrpcTransferContext): Promise<void> {
  const { service, incoming, requestId, draining } = context
  const { principal, encoding, charge } = incoming
  const maxBytes = maxRequestBytes(methods.watchRefs, service.limits)
  const request = await decodeRequest('WatchRefsRequest', stream.request, {
    encoding,
    maxBytes,
    charge,
    record: incoming.record
  })
  incoming.record.called(methods.watchRefs.name, request)
  stream.sendMetadata(new Metadata())
  const gone = new AbortController()
  const error = await serveWatch(incoming.stream, {
    draining,
    encode: (message) => encoder.of(message),
    begin: (sink) => service.watch(request, sink, { principal, signal: gone.signal, requestId })
  })
  gone.abort()
  if (error) throw error
}
