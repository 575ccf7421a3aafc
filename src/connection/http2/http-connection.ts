/** Connections to an HTTP endpoint: HTTP/2, or HTTP/1.1 where the endpoint speaks nothing newer. */
import { type Dispatcher, Pool } from 'undici'
import { systemClock } from '../../core/clock.ts'
import type { Counters } from '../../core/counters.ts'
import { BlobwireError } from '../../core/error.ts'
import type { ResolvedConnectionOptions, TlsOptions } from '../../options/types.ts'
import type { Report } from '../../telemetry/client-event.ts'
import type { AddressGuard } from '../dial/address-guard.ts'
import { ConnectionCheck } from '../dial/connection-check.ts'
import { createConnector } from '../dial/connector.ts'
import { proxyFor } from '../dial/proxy.ts'
import { CachingResolver } from '../dial/resolver.ts'
import { type Endpoint, hostOf, originOf } from '../endpoint.ts'
import { type ConnectionContext, undiciTimers } from './connection.ts'
import { ConnectionPool, type RequestDispatch, requestRefused, type StreamListener } from './connection-pool.ts'
import { NotHttp2, speaksHttp1 } from './http1-probe.ts'
import { transferOverHttp1 } from './http1-transfer.ts'
import type { Negotiation } from './negotiation.ts'
import type { TransferMaker, TransferResponse } from './transfer.ts'
import { TransferPool } from './transfer-pool.ts'

/** Connections of HTTP/1.1, each of which has one request at a time, where the options do not say otherwise. */
const defaultHttp1Connections = 8

export type HttpRequest = Dispatcher.RequestOptions & Pick<RequestDispatch, 'mayReplay' | 'onStart'>

/** The answer to a request, as far as unary calls read it. */
export interface HttpAnswer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Once. To leave the loop ends the stream. */
  readonly body: AsyncIterable<Uint8Array>
}

/** The interface for the HTTP transports, which never open sockets themselves. */
export interface HttpConnection {
  /** `mayReplay`: see `RequestDispatch`. */
  request(options: HttpRequest): Promise<Dispatcher.ResponseData>
  /** Opens a duplex stream. Over HTTP/1.1, which has none, it fails with reason `not_http2`. */
  openStream(options: Dispatcher.DispatchOptions, listener: StreamListener): void
  /** Sends a request for a large blob, on a connection of its own. @throws as `request` does */
  transfer(make: TransferMaker): Promise<TransferResponse>
  /** Whether a new connection can be had. */
  canConnect(): Promise<boolean>
  /** Closes the connections on which nothing is under way. */
  closeIdle(): void
  /** The options have changed. */
  limitsChanged?(): void
  /** Closes the sockets; requests in flight fail. */
  close(): Promise<void>
}

/** Options of the connections to an endpoint. */
export interface HttpConnectionOptions {
  readonly tls: TlsOptions
  readonly connection: ResolvedConnectionOptions
  /** Refuses addresses of the endpoint. */
  readonly guard?: AddressGuard | undefined
  /** Most connections of HTTP/1.1; 8 by default. */
  readonly http1Connections?: number | undefined
  /** Without TLS, speaks HTTP/1.1 from the first byte on: few servers know HTTP/2 without TLS. */
  readonly cleartextHttp1?: boolean | undefined
  /** Takes the events of connections. */
  readonly report?: Report | undefined
}

function notHttp2(cause?: unknown): BlobwireError {
  const message = 'the server speaks HTTP/1.1 only'
  return new BlobwireError({ reason: 'not_http2', message, sent: 'maybe', cause })
}

/** The only sign of undici and node:http2 that a server refused a request unprocessed; pinned by test/connection/goaway.test.ts. */
const refusal = /"GOAWAY" frame received|NGHTTP2_REFUSED_STREAM/

/**
 * The error of a request that the server promises not to have processed: its stream is above the last one of a GOAWAY,
 * or was reset with REFUSED_STREAM (RFC 9113 section 8.7). undici has replayed replayable requests once before.
 */
function refusalOf(cause: unknown): BlobwireError | undefined {
  if (!(cause instanceof Error) || !refusal.test(cause.message)) return undefined
  return requestRefused(cause)
}

/**
 * Makes the connections to an endpoint: a pool of HTTP/2 connections, opened on first use. An endpoint that speaks
 * HTTP/1.1 only (by ALPN, or by its answer to the HTTP/2 preface) gets a few connections of HTTP/1.1 instead.
 */
export function openHttpConnection(
  endpoint: Endpoint,
  {
    tls,
    connection: options,
    guard,
    http1Connections,
    cleartextHttp1 = false,
    report = () => undefined
  }: HttpConnectionOptions,
  counters: Pick<Counters, 'connections' | 'transferConnections'>
): HttpConnection {
  const clock = systemClock
  const resolver = new CachingResolver(clock)
  const proxy = proxyFor(options.proxy, endpoint)
  const onFailure = () => resolver.forget(hostOf(proxy ?? endpoint))
  const connector = createConnector({ endpoint, tls, options, proxy, lookup: resolver.lookup, guard, onFailure })
  const check = new ConnectionCheck({ endpoint, tls, connection: options, guard })
  const context = { endpoint, options, clock, connector, counters: counters.connections, report }
  return new NegotiatedHttpConnection(
    context,
    { ...context, counters: counters.transferConnections },
    { resolver, check, http1Connections, isHttp1: cleartextHttp1 && !endpoint.secure }
  )
}

/** The parts of a connection besides its pools, and its HTTP/1.1. */
interface NegotiationContext {
  readonly resolver: CachingResolver
  readonly check: ConnectionCheck
  readonly http1Connections: number | undefined
  readonly isHttp1: boolean
}

class NegotiatedHttpConnection implements HttpConnection, Negotiation {
  readonly #context: ConnectionContext
  readonly #transferContext: ConnectionContext
  readonly #resolver: CachingResolver
  readonly #check: ConnectionCheck
  readonly #http1Connections: number
  readonly #http2: ConnectionPool
  readonly #transfers: TransferPool
  #http1: Dispatcher | undefined
  #http1Transfers: Dispatcher | undefined
  /** An answer has come over HTTP/2. */
  #verified = false
  #probing: Promise<boolean> | undefined

  constructor(
    context: ConnectionContext,
    transferContext: ConnectionContext,
    { resolver, check, http1Connections = defaultHttp1Connections, isHttp1 }: NegotiationContext
  ) {
    this.#context = context
    this.#transferContext = transferContext
    this.#resolver = resolver
    this.#check = check
    this.#http1Connections = http1Connections
    this.#http2 = new ConnectionPool(context, this)
    this.#transfers = new TransferPool(transferContext, () => this.onHttp1())
    if (isHttp1) this.#fallBack()
  }

  async request(options: HttpRequest): Promise<Dispatcher.ResponseData> {
    if (this.#http1) return this.#http1.request(options)
    try {
      const response = await this.#http2.request(options)
      this.#verified = this.#http1 === undefined
      return response
    } catch (error) {
      // A server of HTTP/1.1 has read only the preface, so that the request was not processed.
      if (error instanceof NotHttp2 && (await this.#isHttp1())) return this.#fallBack().request(options)
      throw refusalOf(error) ?? error
    }
  }

  openStream(options: Dispatcher.DispatchOptions, listener: StreamListener): void {
    if (this.#http1) queueMicrotask(() => listener.onError(notHttp2()))
    else this.#http2.openStream(options, listener)
  }

  async transfer(make: TransferMaker): Promise<TransferResponse> {
    if (this.#http1 === undefined) {
      try {
        return await this.#transfers.transfer(make(2))
      } catch (error) {
        const isHttp1 = this.#http1 !== undefined || (error instanceof NotHttp2 && (await this.#isHttp1()))
        if (!isHttp1 || !isOfHttp1(error)) throw error
        this.#fallBack()
      }
    }
    const { maxTransferConnections } = this.#context.options
    this.#http1Transfers ??= openHttp1Pool(this.#transferContext, maxTransferConnections)
    return transferOverHttp1(this.#http1Transfers, make(1))
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

  explain(error: Error, onError: (error: unknown) => void): void {
    if (!(error instanceof NotHttp2)) return onError(refusalOf(error) ?? error)
    this.#isHttp1().then((isHttp1) => {
      if (isHttp1) this.#fallBack()
      onError(isHttp1 ? notHttp2(error) : error)
    })
  }

  canConnect(): Promise<boolean> {
    return this.#check.canConnect()
  }

  limitsChanged(): void {
    this.#http2.limitsChanged()
  }

  closeIdle(): void {
    this.#http2.closeIdle()
    this.#transfers.closeIdle()
    // Requests that run end on the old pool, which then closes; the next request opens a new one.
    this.#http1 &&= renewed(this.#http1, openHttp1Pool(this.#context, this.#http1Connections))
    const { maxTransferConnections } = this.#context.options
    this.#http1Transfers &&= renewed(this.#http1Transfers, openHttp1Pool(this.#transferContext, maxTransferConnections))
  }

  async close(): Promise<void> {
    this.#resolver.close()
    this.#check.close()
    this.#context.connector.close()
    this.#transfers.close()
    await Promise.all([this.#http2.destroy(), this.#http1?.destroy(), this.#http1Transfers?.destroy()])
  }

  /** Whether the server speaks HTTP/1.1 only, by its own words; streams that break together ask once. */
  async #isHttp1(): Promise<boolean> {
    if (this.#http1) return true
    // With TLS, the server has chosen HTTP/2; and where an answer has come over HTTP/2, other bytes are damage.
    if (this.#verified || this.#context.endpoint.secure) return false
    const { connector, clock } = this.#context
    this.#probing ??= speaksHttp1(connector, clock).finally(() => {
      this.#probing = undefined
    })
    return this.#probing
  }

  #fallBack(): Dispatcher {
    this.#http1 ??= openHttp1Pool(this.#context, this.#http1Connections)
    return this.#http1
  }
}

/** Whether the error is of a connection that turned out to be one of HTTP/1.1, on which nothing was sent. */
function isOfHttp1(error: unknown): boolean {
  return error instanceof NotHttp2 || (error instanceof BlobwireError && error.reason === 'not_http2')
}

/** Closes a pool once its requests have ended, and returns the next one. */
function renewed(pool: Dispatcher, next: Dispatcher): Dispatcher {
  pool.close().catch(() => undefined)
  return next
}

/** The pool for HTTP/1.1. */
function openHttp1Pool(
  { endpoint, options, connector, counters, report }: ConnectionContext,
  connections: number
): Dispatcher {
  return new Pool(originOf(endpoint), {
    ...undiciTimers,
    keepAliveTimeout: options.idleTimeoutMs,
    maxHeaderSize: options.maxHeaderBytes,
    allowH2: false,
    connections,
    connect(_target, callback) {
      connector.open(false).then(
        (socket) => {
          counters.opened++
          counters.open++
          report('connection_opened', { endpoint: originOf(endpoint) })
          socket.once('close', () => {
            counters.open--
            report('connection_closed', { endpoint: originOf(endpoint) })
          })
          callback(null, socket)
        },
        (error) => {
          counters.failures++
          report('connection_failed', { endpoint: originOf(endpoint), problem: error.message })
          callback(error, null)
        }
      )
    }
  })
}
