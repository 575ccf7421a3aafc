import {
  type ClientHttp2Session,
  connect,
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Stream
} from 'node:http2'
import type { TestContext } from 'node:test'
import { type Http2Peer, startPeer } from './http2-peer.ts'

/** The doors of a server behind one port. */
export interface OnePort extends Http2Peer {
  /** Requests in gRPC that have come. */
  readonly grpcRequests: number
  /** Whether there is a way to the gRPC door; without one its requests are answered with 503, as reverse proxies do. */
  open: boolean
}

/** A reverse proxy on one port before both doors of a server, as gateways have it. It lives as long as the test. */
export async function startOnePort(
  context: TestContext,
  doors: { readonly http: string; readonly grpc: string }
): Promise<OnePort> {
  const behind = [doors.http, doors.grpc].map((origin) => {
    const session = connect(origin)
    session.on('error', () => undefined)
    context.after(() => session.destroy())
    return session
  }) as [ClientHttp2Session, ClientHttp2Session]
  const state = { grpcRequests: 0, open: true }
  const peer = await startPeer(context, (stream, headers) => {
    const isGrpc = String(headers['content-type']).startsWith('application/grpc')
    if (isGrpc) state.grpcRequests++
    if (isGrpc && !state.open) refuse(stream)
    else forward(stream, behind[isGrpc ? 1 : 0].request(headers))
  })
  return Object.assign(state, peer)
}

function refuse(stream: ServerHttp2Stream): void {
  stream.resume()
  stream.respond({ ':status': 503, 'content-type': 'text/html' })
  stream.end('<h1>no</h1>')
}

function forward(stream: ServerHttp2Stream, request: ReturnType<ClientHttp2Session['request']>): void {
  // gRPC says in trailers how a call ended.
  let trailers: IncomingHttpHeaders = {}
  request.on('trailers', (found) => {
    trailers = found
  })
  request.on('error', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR))
  request.on('response', (answer) => {
    if (!stream.destroyed) stream.respond(answer, { waitForTrailers: true })
  })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.on('close', () => request.destroy())
  stream.pipe(request).pipe(stream)
}
