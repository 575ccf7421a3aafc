/**
 * Time limits of HTTP/2 connections, the same on both ports: of handshakes, of headers, and of connections and streams
 * that do nothing. node:http2 and grpc-js tell nothing of a header block before it is complete.
 */
import { constants, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'

/** Length of the answer to a PING (RFC 9113 section 6.7). */
const pongBytes = 17

/** The time limits. */
export interface ConnectionLimits {
  /** Time for a handshake, and for the headers of a request. */
  readonly headersTimeoutMs: number
  /** Time that a connection without streams, or a stream, may do nothing. */
  readonly idleTimeoutMs: number
}

/** Watches the connections of an HTTP/2 server. Returns the function that stops it. */
export function watchConnections(http2: Http2Server, limits: ConnectionLimits): () => void {
  const sessions = new Map<ServerHttp2Session, WatchedSession>()
  /** Connections that did not become sessions yet, by their remote address: those of TLS have another socket then. */
  const handshakes = new Map<string, { readonly socket: Socket; readonly endsAtMs: number }>()
  const endOfHandshake = ({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>) =>
    handshakes.delete(`${remoteAddress} ${remotePort}`)
  http2.prependListener('connection', (socket: Socket) => {
    const { remoteAddress, remotePort } = socket
    const key = `${remoteAddress} ${remotePort}`
    handshakes.set(key, { socket, endsAtMs: performance.now() + limits.headersTimeoutMs })
    socket.once('close', () => handshakes.delete(key))
  })
  // HTTP/1.1 under TLS never becomes a session.
  http2.on('secureConnection', endOfHandshake)
  http2.on('session', (session) => {
    endOfHandshake(session.socket)
    const watched = new WatchedSession(session, limits)
    sessions.set(session, watched)
    session.on('stream', (stream) => watched.opened(stream))
    session.once('close', () => sessions.delete(session))
  })
  const timer = setInterval(() => {
    const nowMs = performance.now()
    for (const { socket, endsAtMs } of handshakes.values()) if (nowMs >= endsAtMs) socket.destroy()
    for (const watched of sessions.values()) watched.check(nowMs)
  }, Math.min(limits.headersTimeoutMs, limits.idleTimeoutMs) / 4).unref()
  return () => clearInterval(timer)
}

/**
 * While a header block is open, its connection carries nothing else (RFC 9113 section 4.3): the peer cannot answer a PING.
 * A connection is asked as long as bytes have come since the last answer, so that an idle one is left in peace.
 */
class WatchedSession {
  readonly #session: ServerHttp2Session
  readonly #limits: ConnectionLimits
  /** Bytes that had come when the last answer was all that came. */
  #verifiedBytes = -1
  /** The PING that waits for its answer. */
  #ping: { sinceMs: number; progress: number } | undefined
  #streamCount = 0
  #openStreams = 0
  #idleSinceMs = performance.now()

  constructor(session: ServerHttp2Session, limits: ConnectionLimits) {
    this.#session = session
    this.#limits = limits
  }

  opened(stream: ServerHttp2Stream): void {
    this.#streamCount++
    this.#openStreams++
    stream.once('close', () => {
      if (--this.#openStreams === 0) this.#idleSinceMs = performance.now()
    })
    stream.setTimeout(this.#limits.idleTimeoutMs)
    let isLate = false
    stream.on('timeout', () => {
      // A session has a listener of its own, which answers what is pending first.
      if (isLate || stream.listenerCount('timeout') === 1) stream.close(constants.NGHTTP2_CANCEL)
      isLate = true
      stream.setTimeout(this.#limits.idleTimeoutMs)
    })
  }

  check(nowMs: number): void {
    const session = this.#session
    if (session.destroyed) return
    if (this.#openStreams === 0 && nowMs - this.#idleSinceMs >= this.#limits.idleTimeoutMs) {
      if (session.closed) session.destroy()
      else session.close()
      this.#idleSinceMs = nowMs
    }
    if (this.#ping === undefined) {
      if (session.socket.bytesRead !== this.#verifiedBytes) this.#ask(nowMs)
    } else if (this.#ping.progress !== this.#progress) {
      // Content arrives, so that no header block is open; the answer waits behind it on a slow network.
      this.#ping = { sinceMs: nowMs, progress: this.#progress }
    } else if (nowMs - this.#ping.sinceMs >= this.#limits.headersTimeoutMs) session.destroy()
  }

  /** Changes with each stream and each byte of content. */
  get #progress(): number {
    return this.#streamCount * 2 ** 32 + (this.#session.state.effectiveRecvDataLength ?? 0)
  }

  #ask(nowMs: number): void {
    const session = this.#session
    const asked = session.socket.bytesRead
    const isSent = session.ping((error) => {
      this.#ping = undefined
      if (error || session.destroyed) return
      if (session.socket.bytesRead === asked + pongBytes) this.#verifiedBytes = asked + pongBytes
    })
    if (isSent) this.#ping = { sinceMs: nowMs, progress: this.#progress }
  }
}
