import {
  constants,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream
} from 'node:http2'
import type { Socket } from 'node:net'
import type { Fault } from './rules.ts'
import { spoilAnswer } from './spoil.ts'

type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]) => void

/** What is told of each stream as it arrives: the name of its RPC and what befalls it. */
export type Arrival = (rpc: string) => Fault | undefined

const idHeader = 'x-request-id'

/** The streams of a server's doors by the id of their request, so that a fault finds its stream. */
export class Wires {
  readonly #random: () => number
  readonly #streams = new Map<string, ServerHttp2Stream>()
  readonly #sockets = new Map<string, Socket>()
  /** The request that a connection of HTTP/1.1 has at the moment. */
  readonly #current = new WeakMap<Socket, string>()
  #unnamed = 0

  constructor(random: () => number) {
    this.#random = random
  }

  /**
   * Puts itself between an HTTP/2 server and those who serve its streams. Every request has an id from then on.
   */
  watch(server: Http2Server, arrival: Arrival): void {
    const listeners = server.listeners('stream') as StreamListener[]
    server.removeAllListeners('stream')
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]) => {
      headers[idHeader] ??= `fault-${++this.#unnamed}`
      const id = String(headers[idHeader])
      this.#streams.set(id, stream)
      stream.once('close', () => {
        if (this.#streams.get(id) === stream) this.#streams.delete(id)
      })
      const fault = arrival(
        String(headers[':path'] ?? '')
          .split('/')
          .at(-1) ?? ''
      )
      if (fault !== undefined) {
        stream.on('error', () => undefined)
        turnAway(stream, fault)
        return
      }
      for (const listener of listeners) listener.call(server, stream, headers, ...rest)
    })
  }

  /** The same for a request of HTTP/1.1, which has a connection for itself. */
  watchHttp1(headers: IncomingHttpHeaders, socket: Socket): void {
    headers[idHeader] ??= `fault-${++this.#unnamed}`
    const id = String(headers[idHeader])
    // A connection has one request at a time: the next one takes the place of the last.
    const before = this.#current.get(socket)
    if (before === undefined) socket.once('close', () => this.#sockets.delete(this.#current.get(socket) ?? ''))
    else this.#sockets.delete(before)
    this.#current.set(socket, id)
    this.#sockets.set(id, socket)
  }

  /** RST_STREAM, or over HTTP/1.1 the end of the connection. */
  reset(requestId: string, code: number = constants.NGHTTP2_INTERNAL_ERROR): void {
    this.#streams.get(requestId)?.close(code)
    this.#sockets.get(requestId)?.destroy()
  }

  /** The stream is over, whoever ended it; also where it was over already. */
  whenClosed(requestId: string, listener: () => void): void {
    const way = this.#streams.get(requestId) ?? this.#sockets.get(requestId)
    if (way === undefined || way.closed) listener()
    else way.once('close', listener)
  }

  limitStreams(requestId: string, streams: number): void {
    this.#session(requestId)?.settings({ maxConcurrentStreams: streams })
  }

  /** Gives the connection up. False = the stream itself is among those that do not count. */
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

  /** Has the rest of the answer spoilt on its way out. */
  spoil(requestId: string, fault: Fault): void {
    const stream = this.#streams.get(requestId)
    if (stream !== undefined) spoilAnswer(stream, fault, this.#random)
  }

  #session(requestId: string): ServerHttp2Session | undefined {
    return this.#streams.get(requestId)?.session as ServerHttp2Session | undefined
  }
}

/** Answers in the place of those who serve the stream. */
function turnAway(stream: ServerHttp2Stream, fault: Fault): void {
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
