/** DownloadBlob as a server stream of Connect. */
import { methods } from '../../src/schema/methods.ts'
import type { OutgoingBlob } from '../service/vcs-service.ts'
import { sendBlobMessages } from '../transfers/download-messages.ts'
import { Output } from '../transfers/output.ts'
import { openTransfer, type Transfer } from '../transfers/transfer.ts'
import {
  type ConnectStreamContext,
  endOfStream,
  failedEnd,
  messagePieces,
  readRequest,
  streamHeaders
} from './connect-stream.ts'
import type { Exchange } from './exchange.ts'
import { authenticate } from './record.ts'

/** Answers one stream. */
export async function handleDownloadStream(exchange: Exchange, context: ConnectStreamContext): Promise<void> {
  const { requestId } = context
  exchange.record.method = methods.downloadBlob.name
  let transfer: Transfer | undefined
  try {
    const principal = authenticate(exchange, methods.downloadBlob.name, context)
    transfer = openTransfer(context, exchange, context.idleTimeoutMs)
    const request = await readRequest(exchange, { type: 'DownloadBlobRequest', context, transfer })
    exchange.record.called(methods.downloadBlob.name, request)
    const blob = await context.service.download(request, { principal, signal: transfer.signal, requestId })
    try {
      await send(exchange, blob, { ...context, transfer })
    } finally {
      await blob.close()
    }
  } catch (error) {
    const end = failedEnd(exchange, error)
    exchange.respond(200, { ...streamHeaders(context), 'content-length': String(end.length) }, end)
  } finally {
    transfer?.end()
  }
}

async function send(
  exchange: Exchange,
  blob: OutgoingBlob,
  context: ConnectStreamContext & { readonly transfer: Transfer }
): Promise<void> {
  const { codec, requestId, transfer } = context
  const stream = exchange.stream(200, streamHeaders(context))
  if (stream === undefined) return
  const output = new Output<Uint8Array>(stream, transfer)
  try {
    await sendBlobMessages(blob, (message) => {
      for (const piece of messagePieces(codec, 'DownloadBlobResponse', message)) output.write(piece, piece.length)
      return output.room()
    })
    await output.end(endOfStream(undefined, requestId))
  } catch (error) {
    await output.end(failedEnd(exchange, error))
  }
}
