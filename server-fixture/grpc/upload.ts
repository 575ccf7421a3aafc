/** UploadBlob as a client stream of gRPC. */
import type { ServerReadableStream } from '@grpc/grpc-js'
import { ChunkMessages } from '../../src/codec/chunk-messages.ts'
import { compressedFlag } from '../../src/codec/envelope.ts'
import { invalidArgument } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { HandlerDependencies } from '../listener.ts'
import { Charge } from '../memory-budget.ts'
import { consume } from '../transfers/consume.ts'
import { clientGone, openTransfer, type Transfer } from '../transfers/transfer.ts'
import { UploadMessages } from '../transfers/upload-messages.ts'
import type { IncomingCall } from './incoming-calls.ts'
import { decodeRequest, encodeResponse, type RawRequest } from './requests.ts'

export type UploadStream = ServerReadableStream<RawRequest, object>

/** The context of a stream. */
export interface GrpcTransferContext extends HandlerDependencies {
  readonly incoming: IncomingCall
  readonly requestId: string
}

/** Answers one stream. @throws BlobwireError */
export async function handleUpload(call: UploadStream, context: GrpcTransferContext): Promise<object> {
  const { service, incoming, requestId } = context
  const { principal } = incoming
  const connection = incoming.stream.session ?? incoming.stream
  const transfer = openTransfer(context, { connection, record: incoming.record }, context.bodyTimeoutMs)
  const upload = new UploadMessages(service, { principal, signal: transfer.signal, requestId })
  call.once('cancelled', () => transfer.abort(clientGone()))
  try {
    await receive(upload, transfer, context)
    return encodeResponse('UploadBlobResponse', await upload.end(), incoming.record)
  } catch (error) {
    await upload.release()
    throw error
  } finally {
    transfer.end()
  }
}

/** A piece of the stream has whole messages and parts of others. */
type Item = Messages['UploadBlobRequest'] | RawRequest

/** Reads the stream itself: grpc-js would copy each message, and read 16 of them ahead. */
async function receive(upload: UploadMessages, transfer: Transfer, context: GrpcTransferContext): Promise<void> {
  const { incoming, service } = context
  const { encoding, record } = incoming
  const maxBytes = service.limits.maxBatchBytes
  const stream = incoming.takeOver()
  const charge = new Charge(incoming.charge.connection)
  const waiting: Item[] = []
  const messages = new ChunkMessages({
    type: 'UploadBlobRequest',
    maxBytes,
    receive: (message) => waiting.push(message),
    receiveWhole: (flags, bytes) => waiting.push({ isCompressed: (flags & compressedFlag) !== 0, bytes })
  })
  const takeMessage = (message: Messages['UploadBlobRequest']) => {
    if (message.repository) record.repository = message.repository
    return upload.take(message)
  }
  const takeItem = (item: Item): Promise<void> | undefined => {
    if (!('bytes' in item)) return takeMessage(item)
    const request = decodeRequest('UploadBlobRequest', item, { encoding, maxBytes, charge, record })
    return request instanceof Promise ? request.then(takeMessage) : takeMessage(request)
  }
  const takeFrom = (first: number): Promise<void> | undefined => {
    for (let index = first; index < waiting.length; index++) {
      const taken = takeItem(waiting[index] as Item)
      if (taken) return taken.then(() => takeFrom(index + 1))
    }
    waiting.length = 0
    charge.release()
    if (messages.heldBytes > 0) charge.add(messages.heldBytes)
    return undefined
  }
  const isComplete = () => upload.response !== undefined
  transfer.watch(stream)
  try {
    const take = (piece: Uint8Array) => {
      messages.push(piece)
      return takeFrom(0)
    }
    await consume<Uint8Array>(stream, { take, isComplete, transfer })
    if (messages.incomplete && !isComplete()) {
      throw invalidArgument('stream', 'must not end within a message')
    }
  } finally {
    charge.release()
    // grpc-js answers; the stream closes once it is read to its end.
    stream.resume()
  }
}
