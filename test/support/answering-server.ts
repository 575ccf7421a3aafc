import { once } from 'node:events'
import { createServer, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'

/** An answer in bytes; with `trailers` as gRPC sends it. */
export interface Answer {
  readonly status?: number
  readonly headers?: OutgoingHttpHeaders
  readonly body?: Uint8Array
  readonly trailers?: OutgoingHttpHeaders
}

/** A server that gives every request the same answer, sound in HTTP/2 and in nothing else. */
export interface AnsweringServer extends AsyncDisposable {
  readonly port: number
  answer: Answer
  /** Headers of the requests that came. */
  readonly seen: OutgoingHttpHeaders[]
}

/** Starts one on a free port. */
export async function startAnsweringServer(): Promise<AnsweringServer> {
  const sockets = new Set<Socket>()
  const running: { answer: Answer; seen: OutgoingHttpHeaders[] } = { answer: {}, seen: [] }
  const server = createServer()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const { status = 200, headers: fields = {}, body, trailers } = running.answer
    running.seen.push(headers)
    stream.on('error', () => undefined)
    stream.resume()
    stream.respond({ ':status': status, ...fields }, { waitForTrailers: trailers !== undefined })
    stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}))
    stream.end(body)
  })
  server.on('sessionError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(running, {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  })
}
