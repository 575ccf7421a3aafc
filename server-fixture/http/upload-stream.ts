/** UploadBlob as a client stream. */
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { openTransfer } from '../transfers/transfer.ts'
import { UploadMessages } from '../transfers/upload-messages.ts'
import type { Exchange } from './exchange.ts'
import {
  decoderOf,
  type MessageStreamContext,
  messagePieces,
  readMessages,
  respondFailed,
  respondWhole
} from './message-stream.ts'
import { authenticate } from './record.ts'

/** Answers one stream. */
export async function handleUploadStream(exchange: Exchange, context: MessageStreamContext): Promise<void> {
  exchange.record.method = methods.uploadBlob.name
  try {
    const response = await receive(exchange, context)
    const message = messagePieces(context.codec, 'UploadBlobResponse', response)
    respondWhole(exchange, context, [...message, context.protocol.end(exchange, undefined)])
  } catch (error) {
    respondFailed(exchange, context, error)
  }
}

async function receive(exchange: Exchange, context: MessageStreamContext): Promise<Messages['UploadBlobResponse']> {
  const { service, requestId } = context
  const principal = authenticate(exchange, methods.uploadBlob.name, context)
  const transfer = openTransfer(context, exchange, context.bodyTimeoutMs)
  const upload = new UploadMessages(service, { principal, signal: transfer.signal, requestId })
  const take = (message: Messages['UploadBlobRequest']) => {
    if (message.repository) exchange.record.repository = message.repository
    return upload.take(message)
  }
  try {
    const decode = decoderOf(context.codec, 'UploadBlobRequest')
    const isComplete = () => upload.response !== undefined
    await readMessages(exchange, { decode, context, transfer, take, isComplete })
    return await upload.end()
  } catch (error) {
    await upload.release()
    throw error
  } finally {
    transfer.end()
  }
}
