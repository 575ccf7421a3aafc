import { once } from 'node:events'
import { connect, createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'

/** A reverse proxy for gRPC that holds each request back until it has ended. */
export interface GrpcFront extends AsyncDisposable {
  /** As an endpoint, `grpc://…`. */
  readonly endpoint: string
}

/** Starts one before the gRPC door at `origin`, `http://…`. */
export async function startGrpcFront(origin: string): Promise<GrpcFront> {
  const upstream = connect(origin)
  const server = createServer()
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    passOn(stream as ServerHttp2Stream, headers).catch(() => stream.close())
  })
  const passOn = async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const body = await all(stream)
    if (stream.destroyed) return
    const request = upstream.request(headers)
    request.end(body)
    let trailers: IncomingHttpHeaders = {}
    request.on('trailers', (found) => {
      trailers = found
    })
    const [found] = (await once(request, 'response')) as [IncomingHttpHeaders]
    const answer = await all(request)
    stream.respond(found, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers(trailers))
    stream.end(answer)
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `grpc://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      upstream.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}

async function all(source: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of source) parts.push(part as Buffer)
  return Buffer.concat(parts)
}
