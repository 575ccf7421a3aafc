/** The way to an HTTP endpoint: HTTP/2, or HTTP/1.1 where the endpoint speaks nothing newer. */
import { type Dispatcher, Pool } from 'undici'
import { systemClock } from '../../core/clock.ts'
import type { ConnectionCounters } from '../../core/counters.ts'
import { BlobwireError } from '../../core/error.ts'
import { createConnector } from '../dial/connector.ts'
import { proxyFor } from '../dial/proxy.ts'
import { CachingResolver } from '../dial/resolver.ts'
import { type Endpoint, hostOf, originOf } from '../endpoint.ts'
import type { ResolvedConnectionOptions } from '../options.ts'
import type { TlsOptions } from '../tls-options.ts'
import { type ConnectionContext, undiciTimers } from './connection.ts'
import { ConnectionPool, type Negotiation, type StreamListener } from './connection-pool.ts'

/** HTTP/1.1 has one request at a time on each connection. */
const http1Connections = 8

/** A connection as the HTTP transports see it; a protocol never opens a socket. */
export interface HttpConnection {
  request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>
  /**
   * A request whose body stays open while the answer comes. Only HTTP/2 has that; over HTTP/1.1 it fails at once with
   * reason `not_http2`.
   */
  openStream(options: Dispatcher.DispatchOptions, listener: StreamListener): void
  /** Closes the sockets; requests in flight fail. */
  close(): Promise<void>
}

/** How the way to an endpoint is made. */
export interface HttpConnectionOptions {
  readonly tls: TlsOptions
  readonly connection: ResolvedConnectionOptions
}

/** Errors of HTTP/2 with an HTTP/1.1 server: nghttp2 cannot read its answer, and later streams find no session. */
const notHttp2Codes = new Set(['ERR_HTTP2_ERROR', 'ERR_HTTP2_INVALID_SESSION'])

function notHttp2(cause?: unknown): BlobwireError {
  const message = 'the server speaks HTTP/1.1 only'
  return new BlobwireError({ reason: 'not_http2', message, sent: 'maybe', cause })
}

/** undici and node:http2 say only in words that the server has not looked at a request; test/connection/goaway.test.ts. */
const refusal = /"GOAWAY" frame received|NGHTTP2_REFUSED_STREAM/

/**
 * The server promises that it has done nothing for the request: its stream is above the last one of a GOAWAY, or was
 * reset with REFUSED_STREAM (RFC 9113 section 8.7). undici has replayed what it can, once.
 */
function refusalOf(cause: unknown): BlobwireError | undefined {
  if (!(cause instanceof Error) || !refusal.test(cause.message)) return undefined
  const message = 'the server refused the request without processing it'
  return new BlobwireError({ reason: 'refused', message, sent: 'never', cause })
}

/**
 * The way to an endpoint: a pool of HTTP/2 connections, opened when they are used. An endpoint that turns out to speak
 * HTTP/1.1 only (by ALPN, or by its answer to the HTTP/2 preface) gets a few connections of HTTP/1.1.
 */
export function openHttpConnection(
  endpoint: Endpoint,
  { tls, connection: options }: HttpConnectionOptions,
  counters: ConnectionCounters
): HttpConnection {
  const clock = systemClock
  const resolver = new CachingResolver(clock)
  const proxy = proxyFor(options.proxy, endpoint)
  const onFailure = () => resolver.forget(hostOf(proxy ?? endpoint))
  const connector = createConnector({ endpoint, tls, options, proxy, lookup: resolver.lookup, onFailure })
  return new NegotiatedHttpConnection({ endpoint, options, clock, counters, connector }, resolver)
}

class NegotiatedHttpConnection implements HttpConnection, Negotiation {
  readonly #context: ConnectionContext
  readonly #resolver: CachingResolver
  readonly #http2: ConnectionPool
  #http1: Dispatcher | undefined
  /** An answer has come over HTTP/2: bytes that look like HTTP/1.1 later are damage. */
  #verified = false

  constructor(context: ConnectionContext, resolver: CachingResolver) {
    this.#context = context
    this.#resolver = resolver
    this.#http2 = new ConnectionPool(context, this)
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

  openStream(options: Dispatcher.DispatchOptions, listener: StreamListener): void {
    if (this.#http1) queueMicrotask(() => listener.onError(notHttp2()))
    else this.#http2.openStream(options, listener)
  }

  get refusal(): Error | undefined {
    return this.#http1 && notHttp2()
  }

  onHttp1(): void {
    this.#fallBack()
  }

  onAnswer(): void {
    this.#verified = true
  }

  errorOf(error: Error): unknown {
    if (!this.#looksLikeHttp1(error)) return refusalOf(error) ?? error
    this.#fallBack()
    return notHttp2(error)
  }

  async close(): Promise<void> {
    this.#resolver.close()
    this.#context.connector.close()
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
function openHttp1Pool({ endpoint, options, connector, counters }: ConnectionContext): Dispatcher {
  return new Pool(originOf(endpoint), {
    ...undiciTimers,
    keepAliveTimeout: options.idleTimeoutMs,
    maxHeaderSize: options.maxHeaderBytes,
    allowH2: false,
    connections: http1Connections,
    connect(_target, callback) {
      connector.open(false).then(
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
