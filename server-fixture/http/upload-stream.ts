/** UploadBlob as a client stream of Connect. */
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { openTransfer } from '../transfers/transfer.ts'
import { UploadMessages } from '../transfers/upload-messages.ts'
import { type ConnectStreamContext, endOfStream, messagePieces, readMessages, streamHeaders } from './connect-stream.ts'
import { type Exchange, headerOf } from './exchange.ts'

/** Answers one stream. */
export async function handleUploadStream(exchange: Exchange, context: ConnectStreamContext): Promise<void> {
  const { requestId } = context
  const answer = (body: Uint8Array) =>
    exchange.respond(200, { ...streamHeaders(context), 'content-length': String(body.length) }, body)
  try {
    const response = await receive(exchange, context)
    const message = messagePieces(context.codec, 'UploadBlobResponse', response)
    answer(Buffer.concat([...message, endOfStream(undefined, requestId)]))
  } catch (error) {
    answer(endOfStream(toBlobwireError(error), requestId))
  }
}

async function receive(exchange: Exchange, context: ConnectStreamContext): Promise<Messages['UploadBlobResponse']> {
  const { authenticator, service, requestId } = context
  const principal = authenticator.authenticate(methods.uploadBlob.name, headerOf(exchange, 'authorization'))
  const transfer = openTransfer(context, exchange.connection, context.bodyTimeoutMs)
  const upload = new UploadMessages(service, { principal, signal: transfer.signal, requestId })
  const take = (message: Messages['UploadBlobRequest']) => upload.take(message)
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
