/** The HTTP server: h2c and HTTP/1.1 on one port in cleartext, both by ALPN under TLS. */
import {
  createServer as createHttp1,
  type Server as Http1Server,
  type IncomingMessage,
  type ServerResponse
} from 'node:http'
import {
  createServer as createHttp2,
  createSecureServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream
} from 'node:http2'
import { createServer as createTcp, type Server, type Socket } from 'node:net'
import { acceptConnections } from '../accepted-connections.ts'
import { watchConnections } from '../connection-watch.ts'
import {
  type HandlerTimes,
  handlerTimes,
  type Listener,
  type ListenerDependencies,
  type ListenerOptions
} from '../listener.ts'
import { tlsBuffers } from '../tls-files.ts'
import { ClientErrors } from './client-errors.ts'
import { type Exchange, http1Exchange, http2Exchange } from './exchange.ts'
import { beginRecord } from './record.ts'

/**
 * Uploads over 100 ms have some 60 MiB/s with it, and 90 with 16 MiB; but then four at once, each held in its window while
 * the disk is slow, end a server with 150 MB of memory, which survives them with 8 MiB.
 */
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
const maxHeaderSize = 64 * 1024
const drainMs = 8_000
const pingMs = 1_000
const preface = Buffer.from('PRI * HTTP/2.0')

/** Everything that is open, to be closed in order. */
interface OpenConnections {
  readonly sockets: Set<Socket>
  readonly sessions: Set<ServerHttp2Session>
  /** Requests that are being answered. */
  readonly exchanges: Set<Promise<void>>
}

/** Opens the HTTP server. @throws Error where the port is not available */
export async function openHttpServer<Dependencies extends Pick<ListenerDependencies, 'metrics' | 'faults'>>(
  dependencies: Dependencies,
  options: ListenerOptions,
  answer: (exchange: Exchange, handler: Dependencies & HandlerTimes) => Promise<void>
): Promise<Listener> {
  const { headersTimeoutMs, onConnectionError } = options
  const { metrics } = dependencies
  const draining = new AbortController()
  const handler = { ...dependencies, ...handlerTimes(options), draining: draining.signal }
  const open: OpenConnections = { sockets: new Set(), sessions: new Set(), exchanges: new Set() }
  const take = (exchange: Exchange) => {
    const answered = answer(exchange, handler)
      .catch(onConnectionError)
      .finally(() => exchange.record.end())
      .then(() => exchange.drained)
      .finally(() => open.exchanges.delete(answered))
    open.exchanges.add(answered)
  }
  const http1Settings = {
    headersTimeout: headersTimeoutMs,
    // Bodies have limits of their own: an upload takes as long as it takes.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(headersTimeoutMs, 1000),
    maxHeaderSize
  }
  const http1 = createHttp1(http1Settings)
  // It never listens itself; without this event it would not enforce its time limits.
  if (!options.tls) http1.emit('listening')
  const http2 = options.tls
    ? createSecureServer({
        ...http1Settings,
        ...http2Settings,
        ...tlsBuffers(options.tls),
        allowHTTP1: true,
        minVersion: 'TLSv1.2',
        handshakeTimeout: headersTimeoutMs
      })
    : createHttp2(http2Settings)
  const serving = options.tls ? http2 : http1
  const clientErrors = new ClientErrors()
  const waiting = new WeakMap<Socket, NodeJS.Timeout>()
  const current = new WeakMap<Socket, IncomingMessage>()
  http2.on('secureConnection', (socket) => {
    // HTTP/1.1 under TLS: Node 22 enforces no time limits on connections that node:http2 hands on.
    if (socket.alpnProtocol !== 'h2') waiting.set(socket, destroyAfter(socket, headersTimeoutMs))
  })
  const takeHttp1 = (request: IncomingMessage, response: ServerResponse) => {
    // Under TLS this event also comes for HTTP/2, whose streams are handled below.
    if (request.httpVersionMajor >= 2) return
    const { socket } = request
    if (options.tls) {
      clearTimeout(waiting.get(socket))
      current.set(socket, request)
      response.once('close', () => {
        if (current.get(socket) === request) waiting.set(socket, destroyAfter(socket, headersTimeoutMs))
      })
    }
    dependencies.faults?.watchHttp1(request.headers, socket)
    clientErrors.begun(request, response)
    take(http1Exchange(request, response, beginRecord(metrics, request.url, request)))
  }
  serving.on('request', takeHttp1)
  // Without this listener Node asks for the body before the request is looked at.
  serving.on('checkContinue', takeHttp1)
  http2.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', onConnectionError)
    take(
      http2Exchange(
        stream,
        headers,
        beginRecord(metrics, headers[':path'], { headers, socket: stream.session?.socket })
      )
    )
  })
  dependencies.faults?.watch(http2)
  http2.on('session', (session) => {
    open.sessions.add(session)
    session.setLocalWindowSize(connectionWindowBytes)
    session.on('error', onConnectionError)
    session.once('close', () => open.sessions.delete(session))
  })
  const stopWatching = watchConnections(http2, options)
  http2.on('sessionError', onConnectionError)
  http2.on('tlsClientError', (error, socket) => {
    onConnectionError(error)
    socket.destroy()
  })
  // A listener of this event has to end the connection. It fires for bad requests and for slow ones.
  serving.on('clientError', (error: Error, socket: Socket) => {
    onConnectionError(error)
    clientErrors.refuse(error, socket)
  })
  const listener = options.tls ? (http2 as unknown as Server) : sniffing(http1, http2, options)
  metrics.connectionsOf(options.name).watch(listener)
  listener.on('connection', (socket: Socket) => {
    open.sockets.add(socket)
    socket.once('close', () => open.sockets.delete(socket))
  })
  const accepting = await acceptConnections(listener, { source: undefined, ...options })
  return {
    port: accepting.port,
    close() {
      draining.abort()
      http1.close()
      accepting.stop()
      return close(open).finally(stopWatching)
    }
  }
}

function destroyAfter(socket: Socket, timeoutMs: number): NodeJS.Timeout {
  return setTimeout(() => socket.destroy(), timeoutMs).unref()
}

/** Answers accepted requests, then closes; connections that stay open too long are destroyed. */
async function close({ sockets, sessions, exchanges }: OpenConnections): Promise<void> {
  const late = setTimeout(() => {
    for (const socket of sockets) socket.destroy()
  }, drainMs)
  await Promise.all([...sessions].map(drain))
  await Promise.all(exchanges)
  const closed = Array.from(sockets, (socket) => new Promise((resolve) => socket.once('close', resolve)))
  for (const socket of sockets) socket.destroySoon()
  await Promise.all(closed)
  clearTimeout(late)
}

/** Looks at the first bytes of each connection: HTTP/2 begins with its preface (RFC 9113 section 3.4). */
function sniffing(http1: Http1Server, http2: Http2Server, options: ListenerOptions): Server {
  const { headersTimeoutMs, onConnectionError } = options
  return createTcp({ noDelay: true }, (socket) => {
    const timer = destroyAfter(socket, headersTimeoutMs)
    let seen: Buffer = Buffer.alloc(0)
    socket.on('error', onConnectionError)
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
  // Paused, so that the sniffed bytes wait in the socket's buffer: HTTP/2 reads them from there by itself.
  socket.pause()
  socket.unshift(seen)
  server.emit('connection', socket)
  if (!('updateSettings' in server)) socket.resume()
}

/**
 * Two-step GOAWAY (RFC 9113 section 6.8): the last stream is only named once the peer has received the warning. A peer
 * that has vanished does not answer the PING, and is not waited for.
 */
function drain(session: ServerHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    if (session.closed || session.destroyed) return resolve()
    const unresponsive = setTimeout(() => session.destroy(), pingMs)
    session.once('close', () => {
      clearTimeout(unresponsive)
      resolve()
    })
    session.goaway(0, 2 ** 31 - 1)
    const onPong = (error: Error | null) => {
      clearTimeout(unresponsive)
      if (error) session.destroy()
      else session.close()
    }
    if (!session.ping(onPong)) session.close()
  })
}
