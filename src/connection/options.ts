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

/** Every option in place but the proxy, which is optional by nature. */
export type ResolvedConnectionOptions = {
  readonly [Name in Exclude<keyof ConnectionOptions, 'proxy'>]-?: NonNullable<ConnectionOptions[Name]>
} & {
  readonly proxy: string | undefined
}

const defaults: ResolvedConnectionOptions = {
  maxConnections: 4,
  maxIdleConnections: 0,
  idleTimeoutMs: 90_000,
  maxAgeMs: 300_000,
  connectTimeoutMs: 10_000,
  tlsHandshakeTimeoutMs: 10_000,
  keepAliveMs: 60_000,
  noDelay: true,
  pingIntervalMs: 30_000,
  pingTimeoutMs: 15_000,
  maxHeaderBytes: 64 * 1024,
  maxStreamsPerConnection: 256,
  proxy: undefined
}

/** Integers of 1 or more; the others are times, above 0. */
const counts = new Set(['maxConnections', 'maxHeaderBytes', 'maxStreamsPerConnection'])
/** These may be 0. */
const zeroAllowed = new Set(['maxIdleConnections', 'keepAliveMs'])

/**
 * Checks options and fills in defaults.
 * @throws BlobwireError `invalid_argument` naming the option, the value and what is allowed; also for unknown options
 */
export function resolveConnection(options: ConnectionOptions): ResolvedConnectionOptions {
  const names = Object.keys(defaults)
  const where = (name: string) => `connection.${name}`
  if (typeof options !== 'object' || options === null) throw invalidArgument('connection', 'must be an object')
  const resolved: Record<string, unknown> = { ...defaults }
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name)) {
      throw invalidArgument(where(name), `there is no such option; there are ${names.join(', ')}`)
    }
    if (value === undefined) continue
    const allowed = problemOf(name, value)
    if (allowed !== undefined) throw invalidArgument(where(name), allowed)
    resolved[name] = value
  }
  return resolved as unknown as ResolvedConnectionOptions
}

function problemOf(name: string, value: unknown): string | undefined {
  if (name === 'proxy') return typeof value === 'string' ? proxyProblem(value) : 'must be a URL or "environment"'
  // A proxy's URL may hold a password, so only other values are shown.
  const not = `, not ${(typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value))).slice(0, 80)}`
  if (name === 'noDelay') return typeof value === 'boolean' ? undefined : `must be true or false${not}`
  if (counts.has(name)) {
    return Number.isInteger(value) && (value as number) >= 1 ? undefined : `must be an integer of 1 or more${not}`
  }
  const isNumber = typeof value === 'number' && Number.isFinite(value)
  if (zeroAllowed.has(name)) return isNumber && value >= 0 ? undefined : `must be a number of 0 or more${not}`
  return isNumber && value > 0 ? undefined : `must be a number above 0${not}`
}

function proxyProblem(value: string): string | undefined {
  if (value === 'environment') return undefined
  const url = URL.canParse(value) ? new URL(value) : undefined
  const isProxy = url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== ''
  if (isProxy && (url.pathname === '/' || url.pathname === '') && url.search === '' && url.hash === '') return undefined
  return 'must be "environment" or http(s)://[user:password@]host[:port]'
}
