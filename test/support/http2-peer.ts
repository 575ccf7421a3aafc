import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { parseEndpoint } from '../../src/connection/endpoint.ts'
import { type HttpConnection, openHttpConnection } from '../../src/connection/http2/http-connection.ts'
import { type ConnectionCounters, newCounters } from '../../src/core/counters.ts'
import { resolveConnection } from '../../src/options/resolve.ts'
import type { ConnectionOptions } from '../../src/options/types.ts'

/** Answers a request; `connection` counts from 1. */
export type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: number) => void

/** An HTTP/2 server that does only what the test says. */
export interface Http2Peer {
  readonly url: string
  readonly port: number
  /** In the order in which they were opened. */
  readonly sessions: ServerHttp2Session[]
  /** Paths of requests, with the connection in front: `1 /a`. */
  readonly seen: string[]
  /** Sockets that are open. */
  readonly sockets: ReadonlySet<Socket>
}

export interface PeerOptions {
  readonly maxConcurrentStreams?: number
}

/** Starts one that lives as long as the test. */
export async function startPeer(
  context: TestContext,
  onStream: OnStream,
  options: PeerOptions = {}
): Promise<Http2Peer> {
  const { maxConcurrentStreams = 1000 } = options
  const server = createServer({ settings: { maxConcurrentStreams } })
  const sessions: ServerHttp2Session[] = []
  const seen: string[] = []
  const sockets = new Set<Socket>()
  server.on('session', (session) => {
    sessions.push(session)
    const connection = sessions.length
    session.on('error', () => undefined)
    session.on('stream', (stream, headers) => {
      stream.on('error', () => undefined)
      seen.push(`${connection} ${headers[':path']}`)
      onStream(stream, headers, connection)
    })
  })
  const tcp = server as unknown as Server
  tcp.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  context.after(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return { url: `http://127.0.0.1:${port}`, port, sessions, seen, sockets }
}

/** A server that refuses every stream with a GOAWAY, which node:http2 cannot do to the first. Counts connections. */
export async function startRefuser(context: TestContext): Promise<{ url: string; connections: number }> {
  const refuser = { url: '', connections: 0 }
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    refuser.connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    let bytes = Buffer.alloc(0)
    let at = 24
    socket.write(frame(4, Buffer.alloc(0)))
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      for (; bytes.length >= at + 9; at += 9 + bytes.readUIntBE(at, 3)) {
        // RFC 9113 section 6.8: no stream was processed.
        if (bytes[at + 3] === 1) socket.write(frame(7, Buffer.alloc(8)))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  refuser.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return refuser
}

function frame(type: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9)
  header.writeUIntBE(payload.length, 0, 3)
  header[3] = type
  return Buffer.concat([header, payload])
}

/** Answers with its connection's number. */
export function answer(stream: ServerHttp2Stream, body: string): void {
  if (stream.destroyed || stream.closed) return
  stream.respond({ ':status': 200 })
  stream.end(body)
}

/** The client's side: a connection pool to a peer, closed with the test, and its counters. */
export interface Way extends HttpConnection {
  readonly counters: ConnectionCounters
  /** The body of the answer. */
  get(path: string, signal?: AbortSignal): Promise<string>
}

/** Opens one. */
export function openWay(context: TestContext, url: string, options: ConnectionOptions = {}): Way {
  const counters = newCounters()
  const connection = openHttpConnection(
    parseEndpoint(url),
    { tls: {}, connection: resolveConnection(options) },
    counters
  )
  context.after(() => connection.close())
  return {
    request: (request) => connection.request(request),
    openStream: (request, handler) => connection.openStream(request, handler),
    transfer: (make) => connection.transfer(make),
    canConnect: () => connection.canConnect(),
    closeIdle: () => connection.closeIdle(),
    close: () => connection.close(),
    counters: counters.connections,
    async get(path, signal) {
      const { body } = await connection.request({
        path,
        method: 'POST',
        body: Buffer.from('x'),
        signal: signal ?? null
      })
      return body.text()
    }
  }
}
