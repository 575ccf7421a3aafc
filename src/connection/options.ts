/** Options of connections, their defaults and checks. */
import { checkBoolean, checkKeys, checkNumbers, checkObject, type NumberRule } from '../core/check-options.ts'
import { invalidArgument } from '../core/error.ts'

/**
 * Connections: their number, age, timeouts and PINGs, and the HTTP proxy; see `ClientOptions.connection`. gRPC supports
 * some of these options only: see docs/connections.md.
 */
export interface ConnectionOptions {
  /**
   * Maximum number of connections to one endpoint. Draining connections do not count.
   * @default 4
   */
  maxConnections?: number | undefined
  /**
   * Maximum number of connections to one endpoint for large blobs, besides `maxConnections`. Each upload or download has
   * one to itself, so that no call waits behind its bytes; where this many are open, further ones share them (HTTP/1.1:
   * wait for one).
   * @default 4
   */
  maxTransferConnections?: number | undefined
  /**
   * Number of idle connections that stay open beyond `idleTimeoutMs`, until `maxAgeMs`.
   * @default 0
   */
  maxIdleConnections?: number | undefined
  /**
   * Time without a request after which the client closes a connection, in milliseconds.
   * @default 90000
   */
  idleTimeoutMs?: number | undefined
  /**
   * Age at which a connection drains, in milliseconds: new requests and sessions use another connection, and the old
   * one closes when its last stream has ended. In this way clients find servers that were added behind the same name.
   * @default 300000
   */
  maxAgeMs?: number | undefined
  /**
   * Time for name resolution, the TCP connection and the proxy's tunnel, in milliseconds. The server then has the same
   * time for its first bytes of HTTP/2. Over gRPC, the time covers all of this and TLS together.
   * @default 10000
   */
  connectTimeoutMs?: number | undefined
  /**
   * Time for the TLS handshake, in milliseconds.
   * @default 10000
   */
  tlsHandshakeTimeoutMs?: number | undefined
  /**
   * Idle time after which TCP sends keep-alive probes, in milliseconds; 0 = TCP sends none.
   * @default 60000
   */
  keepAliveMs?: number | undefined
  /**
   * Whether TCP sends small packets at once (TCP_NODELAY). Without it, single calls wait for acknowledgements.
   * @default true
   */
  noDelay?: boolean | undefined
  /**
   * Time without received data after which the client sends an HTTP/2 PING, in milliseconds: while streams are open,
   * and before the client uses an idle connection again.
   * @default 30000
   */
  pingIntervalMs?: number | undefined
  /**
   * Time for any data to arrive after a PING, in milliseconds. Without any, the client closes the connection, and its
   * streams fail with `unavailable`, reason `connection_dead`.
   * @default 15000
   */
  pingTimeoutMs?: number | undefined
  /**
   * Maximum size of a response's header section, in bytes.
   * @default 65536
   */
  maxHeaderBytes?: number | undefined
  /**
   * Number of streams in flight on every open connection at which the client opens another connection. Where
   * `maxConnections` are open, further streams share the open ones, or wait where the server's limit is reached.
   * @default 256
   */
  maxStreamsPerConnection?: number | undefined
  /**
   * HTTP proxy for a tunnel (CONNECT) to the endpoint: `http://[user:password@]host[:port]`, or `https://` (not for
   * gRPC). `'environment'` reads the proxy from `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`. Without this
   * option, the client ignores these variables.
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
  maxTransferConnections: { default: 4, least: 1, integer: true },
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
  const wrong = invalidArgument('connection.proxy', 'must be "environment" or http(s)://[user:password@]host[:port]')
  if (typeof value !== 'string') throw wrong
  if (value === 'environment') return value
  const url = URL.canParse(value) ? new URL(value) : undefined
  const isProxy = url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== ''
  if (isProxy && (url.pathname === '/' || url.pathname === '') && url.search === '' && url.hash === '') return value
  throw wrong
}
