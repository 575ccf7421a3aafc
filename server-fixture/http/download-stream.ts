/** DownloadBlob as a server stream. */
import { methods } from '../../src/schema/methods.ts'
import type { OutgoingBlob } from '../service/vcs-service.ts'
import { sendBlobMessages } from '../transfers/download-messages.ts'
import { Output } from '../transfers/output.ts'
import { openTransfer, type Transfer } from '../transfers/transfer.ts'
import type { Exchange } from './exchange.ts'
import {
  decoderOf,
  failedEnd,
  type MessageStreamContext,
  messagePieces,
  readRequest,
  respondFailed,
  streamHeaders
} from './message-stream.ts'
import { authenticate } from './record.ts'

/** Answers one stream. */
export async function handleDownloadStream(exchange: Exchange, context: MessageStreamContext): Promise<void> {
  const { requestId } = context
  exchange.record.method = methods.downloadBlob.name
  let transfer: Transfer | undefined
  try {
    const principal = authenticate(exchange, methods.downloadBlob.name, context)
    transfer = openTransfer(context, exchange, context.idleTimeoutMs)
    const decode = decoderOf(context.codec, 'DownloadBlobRequest')
    const request = await readRequest(exchange, { decode, context, transfer })
    exchange.record.called(methods.downloadBlob.name, request)
    const blob = await context.service.download(request, { principal, signal: transfer.signal, requestId })
    try {
      await send(exchange, blob, { ...context, transfer })
    } finally {
      await blob.close()
    }
  } catch (error) {
    respondFailed(exchange, context, error)
  } finally {
    transfer?.end()
  }
}

async function send(
  exchange: Exchange,
  blob: OutgoingBlob,
  context: MessageStreamContext & { readonly transfer: Transfer }
): Promise<void> {
  const { codec, protocol, transfer } = context
  const stream = exchange.stream(200, streamHeaders(context), protocol.trailers)
  if (stream === undefined) return
  const output = new Output<Uint8Array>(stream, transfer)
  try {
    await sendBlobMessages(blob, (message) => {
      for (const piece of messagePieces(codec, 'DownloadBlobResponse', message)) output.write(piece, piece.length)
      return output.room()
    })
    await output.end(protocol.end(exchange, undefined))
  } catch (error) {
    await output.end(failedEnd(exchange, context, error))
  }
}
