/** Options of connections, their defaults and checks. */
import { checkBoolean, checkKeys, checkNumbers, checkObject, type NumberRule } from '../core/check-options.ts'
import { invalidArgument } from '../core/error.ts'

/** How connections are opened, shared, watched and closed. gRPC takes what its library offers: docs/connections.md. */
export interface ConnectionOptions {
  /**
   * Connections to the endpoint at most; those that only finish what they have begun are not counted.
   * @default 4
   */
  maxConnections?: number | undefined
  /**
   * Idle connections that stay open beyond `idleTimeoutMs`, until they are too old.
   * @default 0
   */
  maxIdleConnections?: number | undefined
  /**
   * Time without a request after which a connection is closed, in milliseconds.
   * @default 90000
   */
  idleTimeoutMs?: number | undefined
  /**
   * Age, in milliseconds, from which a connection takes no new requests; it is closed when its last stream has ended,
   * and sessions on it move to another one. It makes clients find servers that were added behind one name.
   * @default 300000
   */
  maxAgeMs?: number | undefined
  /**
   * Time for name resolution and the TCP connection (and the proxy's tunnel), in milliseconds. It is also the time a
   * server has for its first bytes of HTTP/2. gRPC has it once for all of that, TLS included.
   * @default 10000
   */
  connectTimeoutMs?: number | undefined
  /**
   * Time for the TLS handshake, in milliseconds.
   * @default 10000
   */
  tlsHandshakeTimeoutMs?: number | undefined
  /**
   * Quiet time after which TCP keep-alive probes begin, in milliseconds; 0 = none.
   * @default 60000
   */
  keepAliveMs?: number | undefined
  /**
   * Send small packets at once (TCP_NODELAY). Without it single calls wait for acknowledgements.
   * @default true
   */
  noDelay?: boolean | undefined
  /**
   * Time in which nothing was heard after which an HTTP/2 PING is sent, in milliseconds: while streams are open, and
   * before an idle connection is used again.
   * @default 30000
   */
  pingIntervalMs?: number | undefined
  /**
   * Time for the answer to such a PING, in milliseconds; without any answer the connection is closed, and its streams
   * fail with `unavailable`.
   * @default 15000
   */
  pingTimeoutMs?: number | undefined
  /**
   * Largest header section of a response, in bytes.
   * @default 65536
   */
  maxHeaderBytes?: number | undefined
  /**
   * Streams in flight on every connection before another one is opened; where `maxConnections` are open, or the server
   * allows fewer, the rest share or wait.
   * @default 256
   */
  maxStreamsPerConnection?: number | undefined
  /**
   * HTTP proxy that is asked for a tunnel (CONNECT) to the endpoint: `http://[user:password@]host[:port]`, or `https://`
   * (not for gRPC). `'environment'` takes it from `https_proxy`, `http_proxy` and `no_proxy`; without that word these
   * variables are not read.
   * @default none
   */
  proxy?: string | undefined
}

/** Connection options with every default in place; `proxy` has no default. */
export type ResolvedConnectionOptions = {
  readonly [Name in Exclude<keyof ConnectionOptions, 'proxy'>]-?: NonNullable<ConnectionOptions[Name]>
} & {
  readonly proxy: string | undefined
}

/** Rules of the numeric options. */
const numberRules = {
  maxConnections: { default: 4, least: 1, integer: true },
  maxIdleConnections: { default: 0, least: 0 },
  idleTimeoutMs: { default: 90_000, above: 0 },
  maxAgeMs: { default: 300_000, above: 0 },
  connectTimeoutMs: { default: 10_000, above: 0 },
  tlsHandshakeTimeoutMs: { default: 10_000, above: 0 },
  keepAliveMs: { default: 60_000, least: 0 },
  pingIntervalMs: { default: 30_000, above: 0 },
  pingTimeoutMs: { default: 15_000, above: 0 },
  maxHeaderBytes: { default: 64 * 1024, least: 1, integer: true },
  maxStreamsPerConnection: { default: 256, least: 1, integer: true }
} as const satisfies Readonly<Record<string, NumberRule>>

const names = [...Object.keys(numberRules), 'noDelay', 'proxy']

/**
 * Checks options and fills in defaults.
 * @throws BlobwireError `invalid_argument` naming the option, the value and the allowed values; also for unknown options
 */
export function resolveConnection(given: ConnectionOptions | undefined): ResolvedConnectionOptions {
  const options = checkObject('connection', given)
  checkKeys('connection', options, names)
  const { noDelay = true, proxy, ...numbers } = options
  return {
    ...checkNumbers('connection', numbers, numberRules),
    noDelay: checkBoolean('connection.noDelay', noDelay),
    proxy: proxy === undefined ? undefined : checkProxy(proxy)
  }
}

/** A proxy URL may hold a password, so the error does not show the value. */
function checkProxy(value: unknown): string {
  if (typeof value !== 'string') throw invalidArgument('connection.proxy', 'must be a URL or "environment"')
  if (value === 'environment') return value
  const url = URL.canParse(value) ? new URL(value) : undefined
  const isProxy = url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== ''
  if (isProxy && (url.pathname === '/' || url.pathname === '') && url.search === '' && url.hash === '') return value
  throw invalidArgument('connection.proxy', 'must be "environment" or http(s)://[user:password@]host[:port]')
}
