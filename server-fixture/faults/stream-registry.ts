/** Finds the stream of a request, so that faults can reset, limit or corrupt it. */
import {
  constants,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream
} from 'node:http2'
import type { Socket } from 'node:net'
import { methods } from '../../src/schema/methods.ts'
import { corruptAnswer } from './corrupt.ts'
import type { Fault } from './rules.ts'

type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]) => void

/** Called for each stream as it arrives, with the name of its RPC; returns the fault that fires. */
export type OnArrival = (rpc: string) => Fault | undefined

/** The call of a client in the same process, which has no connection. */
export interface LocalStream {
  readonly isClosed: boolean
  onClosed(listener: () => void): void
  reset(): void
  corrupt(fault: Fault): void
}

const idHeader = 'x-request-id'

/** The streams of both listeners, by request id. */
export class StreamRegistry {
  readonly #random: () => number
  readonly #streams = new Map<string, ServerHttp2Stream>()
  readonly #sockets = new Map<string, Socket>()
  readonly #local = new Map<string, LocalStream>()
  /** The present request of each HTTP/1.1 connection. */
  readonly #current = new WeakMap<Socket, string>()
  #unnamed = 0

  constructor(random: () => number) {
    this.#random = random
  }

  /** Wraps the `stream` listeners of an HTTP/2 server. Every request has an id from then on. */
  watch(server: Http2Server, onArrival: OnArrival): void {
    const listeners = server.listeners('stream') as StreamListener[]
    server.removeAllListeners('stream')
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]) => {
      headers[idHeader] ??= `fault-${++this.#unnamed}`
      const id = String(headers[idHeader])
      this.#streams.set(id, stream)
      stream.once('close', () => {
        if (this.#streams.get(id) === stream) this.#streams.delete(id)
      })
      const fault = onArrival(rpcOf(String(headers[':path'] ?? ''), headers[':method']))
      if (fault !== undefined) {
        stream.on('error', () => undefined)
        reject(stream, fault)
        return
      }
      for (const listener of listeners) listener.call(server, stream, headers, ...rest)
    })
  }

  /** The same for a request of HTTP/1.1, which has a connection to itself. */
  watchHttp1(headers: IncomingHttpHeaders, socket: Socket): void {
    headers[idHeader] ??= `fault-${++this.#unnamed}`
    const id = String(headers[idHeader])
    // A connection has one request at a time: the next one replaces the last.
    const before = this.#current.get(socket)
    if (before === undefined) socket.once('close', () => this.#sockets.delete(this.#current.get(socket) ?? ''))
    else this.#sockets.delete(before)
    this.#current.set(socket, id)
    this.#sockets.set(id, socket)
  }

  /** The same for the call of a client in the same process. */
  watchLocal(requestId: string, stream: LocalStream): void {
    this.#local.set(requestId, stream)
    stream.onClosed(() => {
      if (this.#local.get(requestId) === stream) this.#local.delete(requestId)
    })
  }

  /** RST_STREAM, or over HTTP/1.1 the end of the connection. */
  reset(requestId: string, code: number = constants.NGHTTP2_INTERNAL_ERROR): void {
    this.#streams.get(requestId)?.close(code)
    this.#sockets.get(requestId)?.destroy()
    this.#local.get(requestId)?.reset()
  }

  /**
   * Resolves when the client has all that was written, or the stream has closed: a reset drops data that waits on either
   * side of the network.
   */
  async received(requestId: string): Promise<void> {
    const stream = this.#streams.get(requestId) ?? this.#sockets.get(requestId)
    while (stream !== undefined && stream.writableLength > 0 && !stream.destroyed) {
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const session = this.#session(requestId)
    if (session === undefined || session.destroyed) return
    // The client answers once it has read the frames before (RFC 9113 section 6.7).
    await new Promise<void>((resolve) => session.ping(() => resolve()) || resolve())
  }

  /** Calls the listener when the stream has closed, at once if it has closed already. */
  onClosed(requestId: string, listener: () => void): void {
    const local = this.#local.get(requestId)
    if (local) return local.onClosed(listener)
    const stream = this.#streams.get(requestId) ?? this.#sockets.get(requestId)
    if (stream === undefined || stream.closed) listener()
    else stream.once('close', listener)
  }

  /** Limits the concurrent streams of the connection (RFC 9113 section 6.5.2). */
  limitStreams(requestId: string, streams: number): void {
    this.#session(requestId)?.settings({ maxConcurrentStreams: streams })
  }

  /** Sends GOAWAY on the connection. False = GOAWAY tells the client that this stream was not processed. */
  goaway(requestId: string, { steps, last = 'at' }: Extract<Fault, { kind: 'goaway' }>): boolean {
    const session = this.#session(requestId)
    const id = this.#streams.get(requestId)?.id
    if (session === undefined || session.destroyed || id === undefined) return true
    if (steps === 2) {
      // RFC 9113 section 6.8: the last stream is only named once the peer has heard that it ends.
      session.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1)
      session.ping(() => session.close())
      return true
    }
    session.goaway(constants.NGHTTP2_NO_ERROR, last === 'below' ? Math.max(0, id - 2) : id)
    return last !== 'below'
  }

  /** Corrupts the rest of the answer on its way out. */
  corruptAnswer(requestId: string, fault: Fault): void {
    this.#local.get(requestId)?.corrupt(fault)
    const stream = this.#streams.get(requestId)
    if (stream !== undefined) corruptAnswer(stream, fault, this.#random)
  }

  #session(requestId: string): ServerHttp2Session | undefined {
    return this.#streams.get(requestId)?.session as ServerHttp2Session | undefined
  }
}

const uploadRpcs: Readonly<Record<string, string>> = {
  HEAD: methods.queryUpload.name,
  DELETE: methods.cancelUpload.name
}

/** The RPC of a request, also where it comes as an HTTP request of its own kind (docs/protocol.md). */
function rpcOf(path: string, method = 'POST'): string {
  const [, kind] = /^\/v1\/repositories\/.+\/(uploads|blobs|files)\b/.exec(path) ?? []
  if (kind === 'uploads') return uploadRpcs[method] ?? methods.uploadBlob.name
  return kind === undefined ? path.slice(path.lastIndexOf('/') + 1) : methods.downloadBlob.name
}

/** Answers instead of the listeners. */
function reject(stream: ServerHttp2Stream, fault: Fault): void {
  if (fault.kind === 'http_status') {
    const { status, retryAfterSeconds } = fault
    const retryAfter = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
    stream.respond({ ':status': status, 'content-type': 'text/html', ...retryAfter })
    stream.end('<html><body><h1>a fault on command</h1></body></html>')
    stream.resume()
  } else {
    stream.close(constants.NGHTTP2_REFUSED_STREAM)
  }
}
