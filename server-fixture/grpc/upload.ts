/** UploadBlob as a client stream of gRPC. */
import type { ServerReadableStream } from '@grpc/grpc-js'
import { toWire } from '../../src/codec/wire-object.ts'
import type { HandlerDependencies } from '../listener.ts'
import { consume } from '../transfers/consume.ts'
import { clientGone, openTransfer } from '../transfers/transfer.ts'
import { UploadMessages } from '../transfers/upload-messages.ts'
import type { IncomingCall } from './incoming-calls.ts'
import { decodeRequest, prefixBytes, type RawRequest } from './requests.ts'

export type UploadStream = ServerReadableStream<RawRequest, object>

/** The context of a stream. */
export interface GrpcTransferContext extends HandlerDependencies {
  readonly incoming: IncomingCall
  readonly requestId: string
}

/** grpc-js has no option for it, and reads 16 messages ahead. test/large/transfer-peers.test.ts fails when this moves. */
function readOneByOne(stream: UploadStream): void {
  const { _readableState: state } = stream as unknown as { readonly _readableState: { highWaterMark: number } }
  state.highWaterMark = 1
}

/** Answers one stream. @throws BlobwireError */
export async function handleUpload(stream: UploadStream, context: GrpcTransferContext): Promise<object> {
  const { service, incoming, requestId } = context
  const { principal, encoding, charge } = incoming
  const transfer = openTransfer(context, incoming.stream.session ?? incoming.stream, context.bodyTimeoutMs)
  const upload = new UploadMessages(service, { principal, signal: transfer.signal, requestId })
  transfer.watch(incoming.stream)
  readOneByOne(stream)
  // A message that is longer than a chunk comes in many pieces.
  incoming.onChunk = () => transfer.touch()
  incoming.onFull = (error) => transfer.abort(error)
  stream.once('cancelled', () => transfer.abort(clientGone()))
  const maxBytes = service.limits.maxBatchBytes
  const take = (raw: RawRequest): Promise<void> | undefined => {
    const message = charge.split(prefixBytes + raw.bytes.length)
    const decoded = decodeRequest('UploadBlobRequest', raw, { encoding, maxBytes, charge: message })
    const taken = decoded instanceof Promise ? decoded.then((request) => upload.take(request)) : upload.take(decoded)
    if (taken === undefined) message.release()
    return taken?.finally(() => message.release())
  }
  try {
    await consume<RawRequest>(stream, { take, isComplete: () => upload.response !== undefined, transfer })
    return toWire('UploadBlobResponse', await upload.end())
  } catch (error) {
    await upload.release()
    throw error
  } finally {
    transfer.end()
  }
}
