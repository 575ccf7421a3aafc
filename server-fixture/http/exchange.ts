/** One HTTP request and its answer, with one interface for HTTP/1.1 and HTTP/2. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Readable, Writable } from 'node:stream'
import type { RequestRecord } from '../metrics/request-record.ts'
import { drainRequest, drainStream, exceedsDrain } from './drain.ts'

/** A request and its answer. */
export interface Exchange {
  readonly method: string
  /** With the query, undecoded. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Resolves when the rest of a request that was answered before its end is read; undefined = nothing is left. */
  readonly drained: Promise<void> | undefined
  /** The body of the request. A client that waits with the body (`Expect: 100-continue`) is told to send it. */
  openBody(): Readable
  /** The request as the figures and the access log tell of it. */
  readonly record: RequestRecord
  /** The session of HTTP/2 or the socket of HTTP/1.1. */
  readonly connection: object
  /** Called once if the client goes before it has the answer. */
  onAbandoned(callback: () => void): void
  /**
   * Sends the answer; does nothing if the client has gone. Where the request has not ended, its rest is read and dropped,
   * within the bounds of `drain.ts`: a client that still sends would lose the answer to a reset. Trailers that are set
   * before are sent, too; without a body they are headers, as in gRPC's "Trailers-Only".
   */
  respond(status: number, headers: OutgoingHttpHeaders, body?: Uint8Array): void
  /**
   * Begins an answer that is a stream, while the request may still arrive. Returns undefined over HTTP/1.1, and where
   * the client has gone. `trailers` as for `stream`.
   */
  open(status: number, headers: OutgoingHttpHeaders, trailers?: readonly string[]): ServerHttp2Stream | undefined
  /**
   * Begins an answer with a body that follows. Returns undefined where the client has gone. `trailers` names trailers, which
   * `setTrailers` must be given before the body ends.
   */
  stream(status: number, headers: OutgoingHttpHeaders, trailers?: readonly string[]): Writable | undefined
  setTrailers(trailers: Readonly<Record<string, string>>): void
  /** Sends an interim answer (RFC 9110 section 15.2), where the answer has not begun. */
  inform(status: number, headers: Readonly<Record<string, string>>): void
  /**
   * After the end of the body: whether the client had sent it whole. A client of node:http2 that gives up ends its body
   * before it resets the stream.
   */
  isWhole(): Promise<boolean>
  /** The trailers of the request, once its body has ended; to be called before the body is read. */
  watchTrailers(): () => IncomingHttpHeaders
}

/** Interim answers, as HTTP/1.1 names them. */
const informed: Readonly<Record<number, string>> = { 104: 'Upload Resumption Supported' }

/** RFC 9110 sections 9.3.2, 15.3.5 and 15.4.5. */
const hasNoBody = (method: string, status: number) => method === 'HEAD' || status === 204 || status === 304

const expectsContinue = ({ expect }: IncomingHttpHeaders) => expect?.toLowerCase() === '100-continue'

/** HTTP/2 (RFC 9113). `respond` of node:http2 throws if the peer has reset the stream. */
export function http2Exchange(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  record: RequestRecord
): Exchange {
  let answered = false
  let trailers: Readonly<Record<string, string>> | undefined
  const method = String(headers[':method'] ?? '')
  const begin = (status: number, responseHeaders: OutgoingHttpHeaders, waitForTrailers: boolean) => {
    stream.respond({ ':status': status, ...responseHeaders }, { waitForTrailers })
    if (waitForTrailers) stream.once('wantTrailers', () => stream.sendTrailers(trailers ?? {}))
  }
  return {
    method,
    path: String(headers[':path'] ?? ''),
    headers,
    record,
    connection: stream.session ?? stream,
    // A session of HTTP/2 waits for its streams when it closes.
    drained: undefined,
    openBody() {
      if (expectsContinue(headers) && !stream.destroyed) stream.additionalHeaders({ ':status': 100 })
      return stream
    },
    onAbandoned(callback) {
      stream.once('close', () => {
        if (!answered) callback()
      })
    },
    respond(status, responseHeaders, body) {
      if (answered || stream.destroyed || stream.closed) return
      answered = true
      record.responded(status)
      if (body === undefined || hasNoBody(method, status)) {
        stream.respond({ ':status': status, ...responseHeaders, ...trailers }, { endStream: true })
      } else {
        begin(status, responseHeaders, trailers !== undefined)
        stream.end(body)
      }
      if (!stream.readableEnded) drainStream(stream)
    },
    open(status, responseHeaders, names) {
      if (answered || stream.destroyed || stream.closed) return undefined
      answered = true
      begin(status, responseHeaders, names !== undefined)
      return stream
    },
    stream(status, responseHeaders, names) {
      if (answered || stream.destroyed || stream.closed) return undefined
      answered = true
      begin(status, responseHeaders, names !== undefined)
      if (!stream.readableEnded) stream.resume()
      return stream
    },
    setTrailers(values) {
      trailers = values
    },
    inform(status, informing) {
      if (!answered && !stream.destroyed) stream.additionalHeaders({ ':status': status, ...informing })
    },
    isWhole() {
      // The reset of a client that has given up comes before its answer to a PING.
      return new Promise((resolve) => {
        const isSent = stream.session?.ping((error) => resolve(!error && !stream.aborted))
        if (!isSent) resolve(!stream.aborted)
      })
    },
    watchTrailers() {
      let received: IncomingHttpHeaders = {}
      stream.once('trailers', (trailers: IncomingHttpHeaders) => {
        received = trailers
      })
      return () => received
    }
  }
}

/** HTTP/1.1 (RFC 9112). */
export function http1Exchange(request: IncomingMessage, response: ServerResponse, record: RequestRecord): Exchange {
  let answered = false
  let drained: Promise<void> | undefined
  let trailers: Readonly<Record<string, string>> | undefined
  let hasTrailers = false
  const method = request.method ?? ''
  return {
    method,
    path: request.url ?? '',
    headers: request.headers,
    record,
    connection: request.socket,
    get drained() {
      return drained
    },
    openBody() {
      if (expectsContinue(request.headers) && !response.destroyed) response.writeContinue()
      return request
    },
    onAbandoned(callback) {
      response.once('close', () => {
        if (!answered) callback()
      })
    },
    respond(status, headers, body) {
      if (answered || response.destroyed) return
      answered = true
      record.responded(status)
      const isBodiless = hasNoBody(method, status)
      const sent = isBodiless ? undefined : body
      // The length tells the client that it has the whole answer, before the connection ends.
      const length = isBodiless ? {} : { 'content-length': body?.length ?? 0 }
      const framing = trailers && sent ? { trailer: Object.keys(trailers).join(', ') } : { ...length, ...trailers }
      if (request.complete || !hasBody(request)) {
        response.writeHead(status, { ...framing, ...headers })
        if (trailers && sent) response.addTrailers(trailers)
        response.end(sent)
        return
      }
      // Node tells so, too, where the client waits with its body.
      const close = exceedsDrain(request) ? { connection: 'close' } : {}
      response.writeHead(status, { ...framing, ...headers, ...close })
      if (trailers && sent) response.addTrailers(trailers)
      if (sent !== undefined) response.write(sent)
      response.flushHeaders()
      drained = drainRequest(request).then(() => void response.end())
    },
    // Node's own client and many proxies send the whole request before they read the answer.
    open: () => undefined,
    stream(status, headers, names) {
      if (answered || response.destroyed) return undefined
      answered = true
      // Trailers follow a body in chunks (RFC 9112 section 7.1.2), which HTTP/1.0 has not.
      hasTrailers = names !== undefined && request.httpVersionMinor > 0
      if (hasTrailers) {
        const { 'content-length': _length, ...others } = headers
        response.writeHead(status, { ...others, trailer: names?.join(', ') })
      } else response.writeHead(status, headers)
      if (!request.complete) {
        response.once('finish', () => {
          if (!request.complete) drained = drainRequest(request)
        })
      }
      return response
    },
    setTrailers(values) {
      trailers = values
      if (hasTrailers) response.addTrailers(values)
    },
    inform(status, headers) {
      // Node 22 has no method for it. An answer that waits behind another one on the connection has no socket yet.
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      if (!answered) response.socket?.write(`HTTP/1.1 ${status} ${informed[status]}\r\n${lines.join('')}\r\n`)
    },
    isWhole: async () => request.complete,
    watchTrailers: () => () => request.trailers as IncomingHttpHeaders
  }
}

/** Whether the request has a body (RFC 9112 section 6.3). */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Answers with a body, of JSON unless told otherwise. */
export function respondBody(exchange: Exchange, status: number, body: Uint8Array, type = 'application/json'): void {
  const headers = { 'content-type': type, 'content-length': String(body.length) }
  exchange.respond(status, headers, exchange.method === 'HEAD' ? undefined : body)
}

/** Answers OPTIONS, and refuses other methods that the path has not (RFC 9110 sections 9.3.7 and 15.5.6). */
export function respondAllow(exchange: Exchange, headers: OutgoingHttpHeaders & { readonly allow: string }): void {
  const isAsked = exchange.method === 'OPTIONS'
  if (isAsked) exchange.record.method = 'Options'
  exchange.respond(isAsked ? 204 : 405, headers)
}

/** The first value of a header. */
export function headerOf(exchange: Pick<Exchange, 'headers'>, name: string): string | undefined {
  const value = exchange.headers[name]
  return Array.isArray(value) ? value[0] : value
}
