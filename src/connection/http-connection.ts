import { Client, type Dispatcher } from 'undici'
import { type Endpoint, originOf } from './endpoint.ts'
import { secureContext, type TlsOptions } from './tls.ts'

/** HTTP/2's own 64 KiB cap bulk transfer at 3 MiB/s over 20 ms; these allow some 200 MiB/s (RFC 9113 section 6.9.2). */
const streamWindowBytes = 8 * 1024 * 1024
const connectionWindowBytes = 32 * 1024 * 1024

/** Streams in flight on the one connection, where the server allows as many. */
const maxStreams = 1000

const idleTimeoutMs = 90_000

/** What the HTTP transports need of a connection; a protocol never opens a socket. */
export interface HttpConnection {
  request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>
  /** The same with the parts of the answer as they come, for streams. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void
  /** Lets go of the socket; what is in flight fails. */
  close(): Promise<void>
}

/** How long a connection may take to come up. */
export interface ConnectOptions {
  readonly tls: TlsOptions
  readonly connectTimeoutMs: number
}

/** One HTTP/2 connection to an endpoint, opened when it is first used and again after it broke. */
export function openHttpConnection(endpoint: Endpoint, options: ConnectOptions): HttpConnection {
  const { tls, connectTimeoutMs } = options
  const client = new Client(originOf(endpoint), {
    // Each call has one deadline of its own; timers on parts of it would only blur what happened.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: idleTimeoutMs,
    maxHeaderSize: 64 * 1024,
    allowH2: true,
    h2Options: {
      useH2c: !endpoint.secure,
      maxConcurrentStreams: maxStreams,
      connectionWindowSize: connectionWindowBytes,
      settings: { initialWindowSize: streamWindowBytes }
    },
    connect: {
      timeout: connectTimeoutMs,
      autoSelectFamily: true,
      ...(endpoint.secure ? { preferH2: true, secureContext: secureContext(tls) } : {}),
      ...(endpoint.secure && tls.serverName !== undefined ? { servername: tls.serverName } : {})
    }
  })
  return {
    request: (request) => client.request(request),
    dispatch: (request, handler) => client.dispatch(request, handler),
    close: () => client.destroy()
  }
}
