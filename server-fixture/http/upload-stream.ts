/** UploadBlob as a client stream of Connect. */
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { openTransfer } from '../transfers/transfer.ts'
import { UploadMessages } from '../transfers/upload-messages.ts'
import {
  type ConnectStreamContext,
  endOfStream,
  failedEnd,
  messagePieces,
  readMessages,
  streamHeaders
} from './connect-stream.ts'
import type { Exchange } from './exchange.ts'
import { authenticate } from './record.ts'

/** Answers one stream. */
export async function handleUploadStream(exchange: Exchange, context: ConnectStreamContext): Promise<void> {
  const { requestId } = context
  exchange.record.method = methods.uploadBlob.name
  const answer = (body: Uint8Array) =>
    exchange.respond(200, { ...streamHeaders(context), 'content-length': String(body.length) }, body)
  try {
    const response = await receive(exchange, context)
    const message = messagePieces(context.codec, 'UploadBlobResponse', response)
    answer(Buffer.concat([...message, endOfStream(undefined, requestId)]))
  } catch (error) {
    answer(failedEnd(exchange, error))
  }
}

async function receive(exchange: Exchange, context: ConnectStreamContext): Promise<Messages['UploadBlobResponse']> {
  const { service, requestId } = context
  const principal = authenticate(exchange, methods.uploadBlob.name, context)
  const transfer = openTransfer(context, exchange, context.bodyTimeoutMs)
  const upload = new UploadMessages(service, { principal, signal: transfer.signal, requestId })
  const take = (message: Messages['UploadBlobRequest']) => {
    if (message.repository) exchange.record.repository = message.repository
    return upload.take(message)
  }
  try {
    const isComplete = () => upload.response !== undefined
    await readMessages(exchange, { type: 'UploadBlobRequest', context, transfer, take, isComplete })
    return await upload.end()
  } catch (error) {
    await upload.release()
    throw error
  } finally {
    transfer.end()
  }
}
