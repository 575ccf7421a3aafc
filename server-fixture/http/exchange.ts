/** One HTTP request and its answer, with one interface for HTTP/1.1 and HTTP/2. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Readable, Writable } from 'node:stream'

/** A request and its answer. */
export interface Exchange {
  readonly method: string
  /** With the query, undecoded. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Readable
  /** Called once if the client goes before it has the answer. */
  onAbandoned(callback: () => void): void
  /** Sends the answer; does nothing if the client has gone. */
  respond(status: number, headers: OutgoingHttpHeaders, body?: Uint8Array): void
  /**
   * Begins an answer that is a stream, while the request may still arrive. Returns undefined over HTTP/1.1, and where
   * the client has gone.
   */
  open(status: number, headers: OutgoingHttpHeaders): Writable | undefined
  /** Reads nothing more of the request; the peer is told so after the answer. */
  stopReading(): void
}

/** HTTP/2 (RFC 9113). `respond` of node:http2 throws if the peer has reset the stream. */
export function http2Exchange(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Exchange {
  let stopped = false
  let answered = false
  return {
    method: String(headers[':method'] ?? ''),
    path: String(headers[':path'] ?? ''),
    headers,
    body: stream,
    onAbandoned(callback) {
      stream.once('close', () => {
        if (!answered) callback()
      })
    },
    respond(status, responseHeaders, body) {
      if (answered || stream.destroyed || stream.closed) return
      answered = true
      const fields = { ':status': status, ...responseHeaders }
      stream.respond(fields, { endStream: body === undefined })
      if (body !== undefined) stream.end(body)
      // RFC 9113 section 8.1: an early answer is followed by NO_ERROR, so that the client stops sending.
      if (stopped) stream.once('finish', () => stream.close(0))
    },
    open(status, responseHeaders) {
      if (answered || stream.destroyed || stream.closed) return undefined
      answered = true
      stream.respond({ ':status': status, ...responseHeaders })
      return stream
    },
    stopReading() {
      stopped = true
      stream.resume()
    }
  }
}

/** HTTP/1.1 (RFC 9112). */
export function http1Exchange(request: IncomingMessage, response: ServerResponse): Exchange {
  let stopped = false
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    body: request,
    onAbandoned(callback) {
      response.once('close', () => {
        if (!response.writableFinished) callback()
      })
    },
    respond(status, headers, body) {
      if (response.headersSent || response.destroyed) return
      if (stopped) response.once('finish', () => request.destroy())
      response.writeHead(status, stopped ? { ...headers, connection: 'close' } : headers)
      response.end(body)
    },
    // Node's own client and many proxies send the whole request before they read the answer.
    open: () => undefined,
    stopReading() {
      const { 'transfer-encoding': encoding, 'content-length': length } = request.headers
      // Without a body nothing is left to read, and the connection can be reused.
      if (encoding === undefined && Number(length ?? 0) === 0) return
      stopped = true
      request.pause()
    }
  }
}

/** The first value of a header. */
export function headerOf(exchange: Exchange, name: string): string | undefined {
  const value = exchange.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** Whether the header allows gzip. Source: RFC 9110 section 12.5.3; a weight of 0 forbids it. */
export function acceptsGzip(header: string): boolean {
  return header.split(',').some((item) => {
    const [name = '', ...parameters] = item.split(';')
    const isRefused = parameters.some((parameter) => /^\s*q=0(?:\.0*)?\s*$/i.test(parameter))
    return name.trim().toLowerCase() === 'gzip' && !isRefused
  })
}
