import type { Dispatcher } from 'undici'
import { BlobwireError } from '../core/error.ts'
import { type ConnectOptions, openHttp1Pool, openHttp2Client } from './dispatchers.ts'
import type { Endpoint } from './endpoint.ts'

/** The parts of an answer as they come. `onEnd` or `onError` comes last, once. */
export interface StreamHandler {
  /** The request is on a connection; `abort` resets its stream. */
  onStart(abort: (reason: Error) => void): void
  onHeaders(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void
  onData(chunk: Buffer): void
  onEnd(): void
  onError(error: unknown): void
}

/** What the HTTP transports need of a connection; a protocol never opens a socket. */
export interface HttpConnection {
  request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>
  /**
   * A request whose body stays open while the answer comes, with the parts of the answer as they come. Only HTTP/2 has
   * that; over HTTP/1.1 it fails at once with reason `not_http2`.
   */
  openStream(options: Dispatcher.DispatchOptions, handler: StreamHandler): void
  /** Lets go of the sockets; what is in flight fails. */
  close(): Promise<void>
}

/** What an HTTP/1.1 server makes of HTTP/2: nghttp2 cannot read its answer, and later streams find no session. */
const notHttp2Codes = new Set(['ERR_HTTP2_ERROR', 'ERR_HTTP2_INVALID_SESSION'])

function notHttp2(cause?: unknown): BlobwireError {
  const message = 'the server speaks HTTP/1.1 only'
  return new BlobwireError({ code: 'unimplemented', reason: 'not_http2', message, sent: 'maybe', cause })
}

/**
 * The way to an endpoint: one HTTP/2 connection, opened when it is first used and again after it broke. An endpoint that
 * turns out to speak HTTP/1.1 only (by ALPN, or by what it makes of HTTP/2's preface) gets a few connections of that.
 */
export function openHttpConnection(endpoint: Endpoint, options: ConnectOptions): HttpConnection {
  return new NegotiatedConnection(endpoint, options)
}

class NegotiatedConnection implements HttpConnection {
  readonly #endpoint: Endpoint
  readonly #options: ConnectOptions
  readonly #http2: Dispatcher
  #http1: Dispatcher | undefined
  /** An answer has come over HTTP/2: what looks like HTTP/1.1 later is damage. */
  #proven = false

  constructor(endpoint: Endpoint, options: ConnectOptions) {
    this.#endpoint = endpoint
    this.#options = options
    this.#http2 = openHttp2Client(endpoint, options, () => this.#fallBack())
  }

  async request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
    if (this.#http1) return this.#http1.request(options)
    try {
      const response = await this.#http2.request(options)
      this.#proven = this.#http1 === undefined
      return response
    } catch (error) {
      // The server has read the preface and nothing else, so that this is the request's first time.
      if (this.#looksLikeHttp1(error)) return this.#fallBack().request(options)
      throw error
    }
  }

  openStream(options: Dispatcher.DispatchOptions, handler: StreamHandler): void {
    if (this.#http1) {
      queueMicrotask(() => handler.onError(notHttp2()))
      return
    }
    this.#http2.dispatch(options, {
      onRequestStart: (controller) => {
        // TLS may just have agreed on HTTP/1.1.
        if (this.#http1) controller.abort(notHttp2())
        else handler.onStart((reason) => controller.abort(reason))
      },
      onResponseStart: (_controller, status, headers) => {
        this.#proven = true
        handler.onHeaders(status, headers)
      },
      onResponseData: (_controller, chunk) => handler.onData(chunk),
      onResponseEnd: () => handler.onEnd(),
      onResponseError: (_controller, error) => {
        const isHttp1 = this.#looksLikeHttp1(error)
        if (isHttp1) this.#fallBack()
        handler.onError(isHttp1 ? notHttp2(error) : error)
      }
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.#http2.destroy(), this.#http1?.destroy()])
  }

  #looksLikeHttp1(error: unknown): boolean {
    return !this.#proven && notHttp2Codes.has((error as NodeJS.ErrnoException).code ?? '')
  }

  #fallBack(): Dispatcher {
    this.#http1 ??= openHttp1Pool(this.#endpoint, this.#options)
    return this.#http1
  }
}
