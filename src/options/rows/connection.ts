/** Options of connections and their TLS. */
import { isProxy, openProxyPattern, proxyPattern } from '../addresses.ts'
import type { Rows } from '../row.ts'

/**
 * Connections: their number, age, timeouts and PINGs, and the HTTP proxy; see `ClientOptions.connection`. gRPC supports
 * some of these options only: see docs/connections.md.
 */
export const connectionRows = {
  /**
   * Maximum number of connections to one endpoint. Draining connections do not count.
   */
  maxConnections: { kind: 'number', default: 4, least: 1, integer: true },
  /**
   * Maximum number of connections to one endpoint for large blobs, besides `maxConnections`. Each upload or download has
   * one to itself, so that no call waits behind its bytes; where this many are open, further ones share them (HTTP/1.1:
   * wait for one).
   */
  maxTransferConnections: { kind: 'number', default: 4, least: 1, integer: true },
  /**
   * Number of idle connections that stay open beyond `idleTimeoutMs`, until `maxAgeMs`.
   */
  maxIdleConnections: { kind: 'number', default: 0, least: 0 },
  /**
   * Time without a request after which the client closes a connection, in milliseconds.
   */
  idleTimeoutMs: { kind: 'number', unit: 'ms', default: 90_000, above: 0 },
  /**
   * Age at which a connection drains, in milliseconds: new requests and sessions use another connection, and the old
   * one closes when its last stream has ended. In this way clients find servers that were added behind the same name.
   */
  maxAgeMs: { kind: 'number', unit: 'ms', default: 300_000, above: 0 },
  /**
   * Which servers the client uses of a name with several addresses: `'one'` = that of one address at a time, the next
   * where it fails; `'all'` = every address is an endpoint of its own, with connections, a session and a circuit breaker
   * of its own, and each call goes to the one with the fewest attempts under way. `'all'` makes no difference behind a
   * `proxy`. See docs/replicas.md.
   */
  addresses: { kind: 'choice', values: ['one', 'all'], default: 'one' },
  /**
   * Time for name resolution, the TCP connection and the proxy's tunnel, in milliseconds. The server then has the same
   * time for its first bytes of HTTP/2. Over gRPC, the time covers all of this and TLS together.
   */
  connectTimeoutMs: { kind: 'number', unit: 'ms', default: 10_000, above: 0 },
  /**
   * Time for the TLS handshake, in milliseconds.
   */
  tlsHandshakeTimeoutMs: { kind: 'number', unit: 'ms', default: 10_000, above: 0 },
  /**
   * Idle time after which TCP sends keep-alive probes, in milliseconds; 0 = TCP sends none.
   */
  keepAliveMs: { kind: 'number', unit: 'ms', default: 60_000, least: 0 },
  /**
   * Whether TCP sends small packets at once (TCP_NODELAY). Without it, single calls wait for acknowledgements.
   */
  noDelay: { kind: 'boolean', default: true },
  /**
   * Time without received data after which the client sends an HTTP/2 PING, in milliseconds: while streams are open,
   * and before the client uses an idle connection again.
   */
  pingIntervalMs: { kind: 'number', unit: 'ms', default: 30_000, above: 0 },
  /**
   * Time for any data to arrive after a PING, in milliseconds. Without any, the client closes the connection, and its
   * streams fail with `unavailable`, reason `connection_dead`.
   */
  pingTimeoutMs: { kind: 'number', unit: 'ms', default: 15_000, above: 0 },
  /**
   * Maximum size of a response's header section, in bytes.
   */
  maxHeaderBytes: { kind: 'number', unit: 'bytes', default: 64 * 1024, least: 1, integer: true },
  /**
   * Number of streams in flight on every open connection at which the client opens another connection. Where
   * `maxConnections` are open, further streams share the open ones, or wait where the server's limit is reached.
   */
  maxStreamsPerConnection: { kind: 'number', default: 256, least: 1, integer: true },
  /**
   * HTTP proxy for a tunnel (CONNECT) to the endpoint: `http://[user:password@]host[:port]`, or `https://` (not for
   * gRPC). `'environment'` reads the proxy from `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`. Without this
   * option, the client ignores these variables.
   */
  proxy: {
    kind: 'text',
    must: '"environment" or http(s)://[user:password@]host[:port]',
    pattern: proxyPattern,
    inFiles: {
      must: '"environment" or http(s)://host[:port], in files without a user and password, which belong into the environment',
      pattern: openProxyPattern
    },
    isValid: isProxy,
    secret: true
  }
} as const satisfies Rows

/** TLS of `https://` and `grpcs://` endpoints: the trusted authorities and the client's own certificate. */
export const tlsRows = {
  /**
   * Certificates (PEM) of the trusted authorities. They replace Node's own list.
   */
  ca: { kind: 'pem', list: true, usually: "Node's own list" },
  /**
   * Client certificate chain (PEM), for servers that require one. `key` is required with it.
   */
  cert: { kind: 'pem' },
  /**
   * Private key (PEM) of `cert`. `cert` is required with it.
   */
  key: { kind: 'pem', secret: true },
  /**
   * Host name that the server's certificate must be valid for.
   */
  serverName: { kind: 'text', must: 'a host name', pattern: '.', usually: "the endpoint's host" },
  /**
   * Oldest version of TLS that the client accepts.
   */
  minVersion: { kind: 'choice', values: ['TLSv1.2', 'TLSv1.3'], default: 'TLSv1.2' },
  /**
   * Whether the server's certificate is checked. `false` is for servers with certificates of their own making, and is
   * refused but in the environments `development` and `testing`: anyone on the way could read and change everything, the
   * token, too. The client warns of it once. Rather give the authority as `ca`.
   */
  rejectUnauthorized: { kind: 'boolean', default: true }
} as const satisfies Rows

/** One of several endpoints, with its own limits; see `ClientOptions.endpoint`. */
export const endpointRows = {
  /** Address of the server, as `ClientOptions.endpoint` has it. */
  url: { kind: 'text', must: 'the address of a server', pattern: '.', required: true },
  /**
   * Share of the calls that this endpoint gets, compared with the weights of the others: with 2 it gets twice the calls of
   * one with 1.
   */
  weight: { kind: 'number', default: 1, above: 0, most: 1000 },
  /**
   * Time for one attempt at this endpoint, in milliseconds; or `'adaptive'`.
   */
  attemptTimeoutMs: {
    kind: 'number',
    unit: 'ms',
    above: 0,
    instead: ['adaptive'],
    usually: "the client's `attemptTimeoutMs`"
  },
  /**
   * Connections to this endpoint. An option that is not given here is the client's.
   */
  connection: {
    kind: 'group',
    type: 'ConnectionOptions',
    rows: connectionRows,
    optional: true,
    usually: "the client's `connection`"
  }
} as const satisfies Rows
