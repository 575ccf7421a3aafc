/** Opens the HTTP port: h2c and HTTP/1.1 on cleartext, both by ALPN under TLS. */
import { createServer as createHttp1, type Server as Http1Server } from 'node:http'
import {
  createServer as createHttp2,
  createSecureServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream
} from 'node:http2'
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net'
import type { Door, DoorOptions, DoorParts } from '../door.ts'
import { type Exchange, http1Exchange, http2Exchange } from './exchange.ts'
import { route } from './routes.ts'

/** Bounds on what a peer may hold open. */
const streamWindowBytes = 8 * 1024 * 1024
const connectionWindowBytes = 32 * 1024 * 1024
/** Each frame costs an event; 16 KiB make 64 of them for a blob of 1 MiB (RFC 9113 section 4.2). */
const maxFrameSize = 256 * 1024
const http2Settings = {
  settings: {
    initialWindowSize: streamWindowBytes,
    maxConcurrentStreams: 1000,
    maxHeaderListSize: 64 * 1024,
    maxFrameSize
  },
  maxSessionMemory: 256
}
const sessionIdleMs = 120_000
const maxHeaderSize = 64 * 1024
const drainMs = 8_000
const pingMs = 1_000
const preface = Buffer.from('PRI * HTTP/2.0')

/** What is open behind the door, so that it can be closed in order. */
interface Inside {
  readonly sockets: Set<Socket>
  readonly sessions: Set<ServerHttp2Session>
  /** Requests that are being answered. */
  readonly exchanges: Set<Promise<void>>
}

/** Opens the door. */
export async function openHttpDoor(parts: DoorParts, options: DoorOptions): Promise<Door> {
  const draining = new AbortController()
  const inside: Inside = { sockets: new Set(), sessions: new Set(), exchanges: new Set() }
  const take = (exchange: Exchange) => {
    const answered = route(exchange, parts, draining.signal)
      .catch(options.onProblem)
      .finally(() => inside.exchanges.delete(answered))
    inside.exchanges.add(answered)
  }
  const { headersTimeoutMs } = parts
  const http1Settings = {
    headersTimeout: headersTimeoutMs,
    requestTimeout: headersTimeoutMs + parts.bodyTimeoutMs,
    connectionsCheckingInterval: Math.min(headersTimeoutMs, 1000),
    maxHeaderSize
  }
  const http1 = createHttp1(http1Settings)
  // It never listens itself, and would not look after the times of its connections otherwise.
  if (!options.tls) http1.emit('listening')
  const http2 = options.tls
    ? createSecureServer({
        ...http1Settings,
        ...http2Settings,
        ...options.tls,
        allowHTTP1: true,
        minVersion: 'TLSv1.2',
        handshakeTimeout: headersTimeoutMs
      })
    : createHttp2(http2Settings)
  const serving = options.tls ? http2 : http1
  const begun = new WeakMap<Socket, NodeJS.Timeout>()
  http2.on('secureConnection', (socket) => {
    // HTTP/1.1 behind TLS: Node 22 does not look after the times of what node:http2 hands on.
    if (socket.alpnProtocol !== 'h2') begun.set(socket, cutOffAfter(socket, headersTimeoutMs))
  })
  serving.on('request', (request, response) => {
    // Under TLS this event also comes for HTTP/2, whose streams are handled below.
    if (request.httpVersionMajor >= 2) return
    clearTimeout(begun.get(request.socket))
    parts.faults?.wires.watchHttp1(request.headers, request.socket)
    take(http1Exchange(request, response))
  })
  http2.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', options.onProblem)
    take(http2Exchange(stream, headers))
  })
  const { faults } = parts
  faults?.wires.watch(http2, (rpc) => faults.atArrival(rpc))
  http2.on('session', (session) => {
    inside.sessions.add(session)
    session.setLocalWindowSize(connectionWindowBytes)
    session.setTimeout(sessionIdleMs, () => session.close())
    session.on('error', options.onProblem)
    session.once('close', () => inside.sessions.delete(session))
  })
  http2.on('sessionError', options.onProblem)
  http2.on('tlsClientError', (error, socket) => {
    options.onProblem(error)
    socket.destroy()
  })
  // Whoever listens has to end the connection: bad requests come here, and those that take too long.
  serving.on('clientError', (error: Error, socket: Socket) => {
    options.onProblem(error)
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n')
    else socket.destroy()
  })
  const listener = options.tls
    ? (http2 as unknown as Server)
    : sniffing(http1, http2, { headersTimeoutMs, onProblem: options.onProblem })
  listener.on('connection', (socket: Socket) => {
    inside.sockets.add(socket)
    socket.once('close', () => inside.sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(options.port, options.host, resolve)
  })
  return {
    port: (listener.address() as AddressInfo).port,
    close() {
      draining.abort()
      http1.close()
      return closeDoor(listener, inside)
    }
  }
}

function cutOffAfter(socket: Socket, timeoutMs: number): NodeJS.Timeout {
  const timer = setTimeout(() => socket.destroy(), timeoutMs)
  socket.once('close', () => clearTimeout(timer))
  return timer
}

/** Answers what was accepted, then closes; peers that do not let it end are cut off. */
async function closeDoor(listener: Server, { sockets, sessions, exchanges }: Inside): Promise<void> {
  const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
  const late = setTimeout(() => {
    for (const socket of sockets) socket.destroy()
  }, drainMs)
  await Promise.all([...sessions].map(drain))
  await Promise.all(exchanges)
  for (const socket of sockets) socket.destroySoon()
  await closed
  clearTimeout(late)
}

interface SniffingRules {
  readonly headersTimeoutMs: number
  readonly onProblem: (error: unknown) => void
}

/** Looks at the first bytes of each connection: HTTP/2 begins with its preface (RFC 9113 section 3.4). */
function sniffing(http1: Http1Server, http2: Http2Server, rules: SniffingRules): Server {
  const { headersTimeoutMs, onProblem } = rules
  return createTcp({ noDelay: true }, (socket) => {
    const timer = cutOffAfter(socket, headersTimeoutMs)
    let seen: Buffer = Buffer.alloc(0)
    socket.on('error', onProblem)
    const look = (chunk: Buffer) => {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
      const length = Math.min(seen.length, preface.length)
      const isHttp2 = seen.subarray(0, length).equals(preface.subarray(0, length))
      if (isHttp2 && length < preface.length) return
      clearTimeout(timer)
      socket.off('data', look)
      handOver(socket, seen, isHttp2 ? http2 : http1)
    }
    socket.on('data', look)
  })
}

function handOver(socket: Socket, seen: Buffer, server: Http1Server | Http2Server): void {
  // Paused, so that what was looked at waits in the socket's buffer: HTTP/2 takes it from there by itself.
  socket.pause()
  socket.unshift(seen)
  server.emit('connection', socket)
  if (!('updateSettings' in server)) socket.resume()
}

/**
 * Two-step GOAWAY (RFC 9113 section 6.8): the last stream is only named once the peer has heard that it ends. A peer that
 * has gone without a word does not answer the PING, and is not waited for.
 */
function drain(session: ServerHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    if (session.closed || session.destroyed) return resolve()
    const silent = setTimeout(() => session.destroy(), pingMs)
    session.once('close', () => {
      clearTimeout(silent)
      resolve()
    })
    session.goaway(0, 2 ** 31 - 1)
    const heard = (error: Error | null) => {
      clearTimeout(silent)
      if (error) session.destroy()
      else session.close()
    }
    if (!session.ping(heard)) session.close()
  })
}
