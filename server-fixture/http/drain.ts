/**
 * Reads and drops the rest of requests that were answered before their end. A client that still sends when it is reset
 * may lose the answer: over HTTP/1.1 the kernel drops received bytes on a reset (RFC 9112 section 9.6), and over HTTP/2
 * many clients forget an answer that they have not read when RST_STREAM comes, although RFC 9113 section 8.1 forbids it.
 */
import type { IncomingMessage } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'

/** Most bytes that are dropped of one request: four full batches. */
const maxDrainBytes = 16 * 1024 * 1024
/** Longest time for one request. A closing server waits for longer than that. */
const maxDrainMs = 5_000

/** Whether the request says that it is longer than the server reads. */
export function exceedsDrain({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) > maxDrainBytes
}

/** Drops the rest of a request of HTTP/2, whose stream then closes; at a bound, asks the client to stop. */
export function drainStream(stream: ServerHttp2Stream): void {
  drop(stream, () => stream.close(constants.NGHTTP2_NO_ERROR))
}

/** Drops the rest of a request of HTTP/1.1; at a bound, ends the connection. Resolves afterwards. */
export function drainRequest(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    request.once('end', resolve).once('close', resolve)
    drop(request, () => request.socket.destroy())
  })
}

/** Sends the last bytes, and drops all that comes; at a bound, or when the peer ends, the connection is closed. */
export function drainSocket(socket: Socket, last: string): void {
  // Node's parser listens, too, and would report every further chunk.
  socket.removeAllListeners('data')
  socket.end(last)
  drop(socket, () => socket.destroy())
}

function drop(body: Readable, onBound: () => void): void {
  let leftBytes = maxDrainBytes
  const timer = setTimeout(onBound, maxDrainMs)
  const stop = () => clearTimeout(timer)
  body.once('end', stop).once('close', stop)
  body.on('data', (chunk: Uint8Array) => {
    leftBytes -= chunk.length
    if (leftBytes < 0) onBound()
  })
  body.resume()
}
