import { type Dispatcher, Pool } from 'undici'
import { systemClock } from '../../core/clock.ts'
import type { ConnectionCounters } from '../../core/counters.ts'
import { BlobwireError } from '../../core/error.ts'
import { addressOf, createConnector } from '../dial/connector.ts'
import { proxyFor } from '../dial/proxy.ts'
import { CachingResolver } from '../dial/resolver.ts'
import { type Endpoint, originOf } from '../endpoint.ts'
import type { ResolvedConnectionOptions } from '../options.ts'
import type { TlsOptions } from '../tls-options.ts'
import { type ConnectionContext, undiciTimers } from './connection.ts'
import { ConnectionPool, type StreamWatcher } from './connection-pool.ts'

/** HTTP/1.1 has one request at a time on each connection. */
const http1Connections = 8

/** What the stream of a session can do besides sending and receiving. */
export interface StreamControl {
  /** Resets the stream. */
  abort(reason: Error): void
  /** Says that an answer is overdue and nothing has come since: the connection is checked. */
  suspect(): void
}

/** The parts of an answer as they come. `onEnd` or `onError` comes last, once. */
export interface StreamHandler extends Pick<StreamWatcher, 'onGoaway'> {
  /** The request is on a connection, and the server is there. */
  onStart(control: StreamControl): void
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

/** How the way to an endpoint is made. */
export interface HttpConnectionOptions {
  readonly tls: TlsOptions
  readonly connection: ResolvedConnectionOptions
}

/** What an HTTP/1.1 server makes of HTTP/2: nghttp2 cannot read its answer, and later streams find no session. */
const notHttp2Codes = new Set(['ERR_HTTP2_ERROR', 'ERR_HTTP2_INVALID_SESSION'])

function notHttp2(cause?: unknown): BlobwireError {
  const message = 'the server speaks HTTP/1.1 only'
  return new BlobwireError({ code: 'unimplemented', reason: 'not_http2', message, sent: 'maybe', cause })
}

/** undici and node:http2 say only in words that the server has not looked at a request; test/connection/goaway.test.ts. */
const refusal = /"GOAWAY" frame received|NGHTTP2_REFUSED_STREAM/

/**
 * The server promises that it has done nothing for the request: its stream is above the last one of a GOAWAY, or was
 * reset with REFUSED_STREAM (RFC 9113 section 8.7). undici has replayed what it can, once.
 */
function refusalOf(cause: unknown): BlobwireError | undefined {
  if (!(cause instanceof Error) || !refusal.test(cause.message)) return undefined
  const message = 'the server refused the request before it looked at it'
  return new BlobwireError({ code: 'unavailable', reason: 'refused', message, sent: 'never', cause })
}

/**
 * The way to an endpoint: a pool of HTTP/2 connections, opened when they are used. An endpoint that turns out to speak
 * HTTP/1.1 only (by ALPN, or by what it makes of HTTP/2's preface) gets a few connections of that.
 */
export function openHttpConnection(
  endpoint: Endpoint,
  { tls, connection: options }: HttpConnectionOptions,
  counters: ConnectionCounters
): HttpConnection {
  const clock = systemClock
  const resolver = new CachingResolver(clock)
  const proxy = proxyFor(options.proxy, endpoint)
  const onFailure = () => resolver.forget(addressOf((proxy ?? endpoint).hostname))
  const connect = createConnector({ endpoint, tls, options, proxy, lookup: resolver.lookup, onFailure })
  return new NegotiatedHttpConnection({ endpoint, options, clock, counters, connect }, resolver)
}

class NegotiatedHttpConnection implements HttpConnection {
  readonly #context: ConnectionContext
  readonly #resolver: CachingResolver
  readonly #http2: ConnectionPool
  #http1: Dispatcher | undefined
  /** An answer has come over HTTP/2: what looks like HTTP/1.1 later is damage. */
  #verified = false

  constructor(context: ConnectionContext, resolver: CachingResolver) {
    this.#context = context
    this.#resolver = resolver
    this.#http2 = new ConnectionPool(context, () => this.#fallBack())
  }

  async request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
    if (this.#http1) return this.#http1.request(options)
    try {
      const response = await this.#http2.request(options)
      this.#verified = this.#http1 === undefined
      return response
    } catch (error) {
      // The server has read the preface and nothing else, so that this is the request's first time.
      if (this.#looksLikeHttp1(error)) return this.#fallBack().request(options)
      throw refusalOf(error) ?? error
    }
  }

  openStream(options: Dispatcher.DispatchOptions, handler: StreamHandler): void {
    if (this.#http1) {
      queueMicrotask(() => handler.onError(notHttp2()))
      return
    }
    let placed: Parameters<StreamWatcher['onPlaced']>[0] | undefined
    const watcher: StreamWatcher = {
      onGoaway: () => handler.onGoaway(),
      onPlaced: (connection) => {
        placed = connection
      }
    }
    const suspect = () => placed?.suspect()
    this.#http2.dispatch(
      { ...options, watcher },
      {
        onRequestStart: (controller) => {
          // TLS may just have agreed on HTTP/1.1.
          if (this.#http1) controller.abort(notHttp2())
          // Not at once: a stream that is reset while its own bytes are being read stays open in nghttp2, and counts
          // against the server's limit until the connection ends (Node 26, undici 8.12).
          else handler.onStart({ abort: (reason) => setImmediate(() => controller.abort(reason)), suspect })
        },
        onResponseStart: (_controller, status, headers) => {
          this.#verified = true
          handler.onHeaders(status, headers)
        },
        onResponseData: (_controller, chunk) => handler.onData(chunk),
        onResponseEnd: () => handler.onEnd(),
        onResponseError: (_controller, error) => {
          const isHttp1 = this.#looksLikeHttp1(error)
          if (isHttp1) this.#fallBack()
          handler.onError(isHttp1 ? notHttp2(error) : (refusalOf(error) ?? error))
        }
      }
    )
  }

  async close(): Promise<void> {
    this.#resolver.close()
    this.#context.connect.close()
    await Promise.all([this.#http2.destroy(), this.#http1?.destroy()])
  }

  #looksLikeHttp1(error: unknown): boolean {
    return !this.#verified && notHttp2Codes.has((error as NodeJS.ErrnoException).code ?? '')
  }

  #fallBack(): Dispatcher {
    this.#http1 ??= openHttp1Pool(this.#context)
    return this.#http1
  }
}

/** A few HTTP/1.1 connections. */
function openHttp1Pool({ endpoint, options, connect, counters }: ConnectionContext): Dispatcher {
  return new Pool(originOf(endpoint), {
    ...undiciTimers,
    keepAliveTimeout: options.idleTimeoutMs,
    maxHeaderSize: options.maxHeaderBytes,
    allowH2: false,
    connections: http1Connections,
    connect(_target, callback) {
      connect.open(false).then(
        (socket) => {
          counters.opened++
          counters.open++
          socket.once('close', () => counters.open--)
          callback(null, socket)
        },
        (error) => {
          counters.failures++
          callback(error, null)
        }
      )
    }
  })
}
