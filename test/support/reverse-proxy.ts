/** Reverse proxies in front of a fixture: one port for HTTP and gRPC, towards the client HTTP/2 or HTTP/1.1. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders
} from 'node:http2'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { type Http2Peer, startPeer } from './http2-peer.ts'

/** The servers behind a proxy, as URLs. */
interface Upstream {
  readonly http: string
  readonly grpc: string
}

export interface ReverseProxyOptions {
  /** Reads each request to its end before the request is passed on, as nginx does by default. */
  readonly buffersRequests?: boolean
  /** The status of a request that is not passed on, if any. */
  readonly statusOf?: (headers: IncomingHttpHeaders) => number | undefined
}

/** True for requests in gRPC. */
export const isGrpc = (headers: IncomingHttpHeaders) => String(headers['content-type']).startsWith('application/grpc')

/** Starts one that speaks HTTP/2 on both sides and lives as long as the test. */
export async function startReverseProxy(
  context: TestContext,
  upstream: Upstream,
  options: ReverseProxyOptions = {}
): Promise<Http2Peer> {
  const open = openUpstream(context, upstream)
  return startPeer(context, (stream, headers) => {
    const status = options.statusOf?.(headers)
    if (status !== undefined) {
      stream.resume()
      stream.respond({ ':status': status, 'content-type': 'text/html' })
      stream.end('<h1>no</h1>')
      return
    }
    const forward = (send: (request: ClientHttp2Stream) => void) => {
      const request = open(headers)
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
      send(request)
      request.pipe(stream)
    }
    if (options.buffersRequests) readWhole(stream, (body) => forward((request) => request.end(body)))
    else forward((request) => stream.pipe(request))
  })
}

/** A reverse proxy that speaks HTTP/1.1 only, with TLS where a certificate is given, and buffers requests. */
export interface Http1ReverseProxy {
  readonly url: string
  /** Paths of the requests so far. */
  readonly paths: string[]
}

/** Starts one that lives as long as the test. */
export async function startHttp1ReverseProxy(
  context: TestContext,
  upstream: Upstream,
  tls?: { cert: Buffer; key: Buffer }
): Promise<Http1ReverseProxy> {
  const open = openUpstream(context, upstream)
  const paths: string[] = []
  const server = tls ? createSecureServer(tls) : createServer()
  server.on('request', (incoming, outgoing) => {
    const path = incoming.url ?? ''
    paths.push(path)
    // Fields of one HTTP/1.1 connection (RFC 9113 section 8.2.2).
    const { connection: _, host: __, 'transfer-encoding': ___, ...fields } = incoming.headers
    readWhole(incoming, (body) => {
      const request = open({ ...fields, ':method': incoming.method ?? 'POST', ':path': path })
      request.on('error', () => outgoing.destroy())
      request.on('response', ({ ':status': status = 502, ...answer }) => {
        outgoing.writeHead(status, answer as Record<string, string>)
        request.pipe(outgoing)
      })
      request.end(body)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`, paths }
}

/** Opens requests to the server that a request is for. */
function openUpstream(context: TestContext, upstream: Upstream): (headers: IncomingHttpHeaders) => ClientHttp2Stream {
  const sessions = [upstream.http, upstream.grpc].map((origin) => {
    const session = connect(origin)
    session.on('error', () => undefined)
    context.after(() => session.destroy())
    return session
  }) as [ClientHttp2Session, ClientHttp2Session]
  return (headers) => sessions[isGrpc(headers) ? 1 : 0].request(headers)
}

/** Reads a body to its end; nothing follows where the body breaks off. */
function readWhole(source: Readable, onEnd: (body: Buffer) => void): void {
  const chunks: Buffer[] = []
  source.on('data', (chunk: Buffer) => chunks.push(chunk))
  source.on('end', () => onEnd(Buffer.concat(chunks)))
}
