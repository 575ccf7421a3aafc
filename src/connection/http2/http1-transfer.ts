/** Large blobs over HTTP/1.1: a connection for each, through undici. */
import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { TransferRequest, TransferResponse } from './transfer.ts'

/** Bytes that are held of a body while the socket takes those before. */
const heldBytes = 512 * 1024

/** Sends a request, and resolves with the beginning of its answer. @throws the errors of undici and of the request */
export async function transferOverHttp1(dispatcher: Dispatcher, request: TransferRequest): Promise<TransferResponse> {
  const { method, path, headers, body, signal } = request
  const { statusCode, ...answer } = await dispatcher.request({
    method,
    path,
    headers,
    body: body === undefined ? null : Readable.from(body, { objectMode: false, highWaterMark: heldBytes }),
    signal
  })
  return {
    status: statusCode,
    headers: answer.headers,
    chunks: answer.body,
    discard: () => answer.body.on('error', () => undefined).destroy(),
    get trailers() {
      return answer.trailers
    }
  }
}
