/** Groups of options. Made from src/options/table.ts by `npm run generate`. */
import type { Pem } from './pem.ts'

/** One of several endpoints, with its own limits; see `ClientOptions.endpoint`. */
export interface EndpointOptions {
  /** Address of the server, as `ClientOptions.endpoint` has it. */
  url: string
  /**
   * Share of the calls that this endpoint gets, compared with the weights of the others: with 2 it gets twice the calls
   * of one with 1.
   * @default 1
   */
  weight?: number | undefined
  /**
   * Time for one attempt at this endpoint, in milliseconds; or `'adaptive'`.
   * @default the client's `attemptTimeoutMs`
   */
  attemptTimeoutMs?: number | 'adaptive' | undefined
  /**
   * Connections to this endpoint. An option that is not given here is the client's.
   * @default the client's `connection`
   */
  connection?: ConnectionOptions | undefined
}

/** `EndpointOptions` with every default in place. */
export interface ResolvedEndpointOptions {
  readonly url: string
  readonly weight: number
  readonly attemptTimeoutMs: number | 'adaptive' | undefined
  readonly connection: ResolvedConnectionOptions | undefined
}

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
   * Maximum number of connections to one endpoint for large blobs, besides `maxConnections`. Each upload or download
   * has one to itself, so that no call waits behind its bytes; where this many are open, further ones share them
   * (HTTP/1.1: wait for one).
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
   * Which servers the client uses of a name with several addresses: `'one'` = that of one address at a time, the next
   * where it fails; `'all'` = every address is an endpoint of its own, with connections, a session and a circuit
   * breaker of its own, and each call goes to the one with the fewest attempts under way. `'all'` makes no difference
   * behind a `proxy`. See docs/replicas.md.
   * @default 'one'
   */
  addresses?: 'one' | 'all' | undefined
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

/** `ConnectionOptions` with every default in place. */
export interface ResolvedConnectionOptions {
  readonly maxConnections: number
  readonly maxTransferConnections: number
  readonly maxIdleConnections: number
  readonly idleTimeoutMs: number
  readonly maxAgeMs: number
  readonly addresses: 'one' | 'all'
  readonly connectTimeoutMs: number
  readonly tlsHandshakeTimeoutMs: number
  readonly keepAliveMs: number
  readonly noDelay: boolean
  readonly pingIntervalMs: number
  readonly pingTimeoutMs: number
  readonly maxHeaderBytes: number
  readonly maxStreamsPerConnection: number
  readonly proxy: string | undefined
}

/** TLS of `https://` and `grpcs://` endpoints: the trusted authorities and the client's own certificate. */
export interface TlsOptions {
  /**
   * Certificates (PEM) of the trusted authorities. They replace Node's own list.
   * @default Node's own list
   */
  ca?: Pem | readonly Pem[] | undefined
  /**
   * Client certificate chain (PEM), for servers that require one. `key` is required with it.
   * @default none
   */
  cert?: Pem | undefined
  /**
   * Private key (PEM) of `cert`. `cert` is required with it.
   * @default none
   */
  key?: Pem | undefined
  /**
   * Host name that the server's certificate must be valid for.
   * @default the endpoint's host
   */
  serverName?: string | undefined
  /**
   * Oldest version of TLS that the client accepts.
   * @default 'TLSv1.2'
   */
  minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
  /**
   * Whether the server's certificate is checked. `false` is for servers with certificates of their own making, and is
   * refused but in the environments `development` and `testing`: anyone on the way could read and change everything,
   * the token, too. The client warns of it once. Rather give the authority as `ca`.
   * @default true
   */
  rejectUnauthorized?: boolean | undefined
}

/** `TlsOptions` with every default in place. */
export interface ResolvedTlsOptions {
  readonly ca: Pem | readonly Pem[] | undefined
  readonly cert: Pem | undefined
  readonly key: Pem | undefined
  readonly serverName: string | undefined
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly rejectUnauthorized: boolean
}

/** When and how often the client retries a failed call; see `ClientOptions.retry`. */
export interface RetryOptions {
  /**
   * Maximum number of attempts of one call, including the first. With the default, one more than the failures that open
   * a circuit breaker, a call outlasts a restart of its only server for at least `breaker.waitMs`: either the server is
   * back before the breaker opens, or the call waits for the breaker.
   * @default 6
   */
  maxAttempts?: number | undefined
  /**
   * Longest random wait before the second attempt, in milliseconds. It is multiplied by `factor` with each further
   * attempt.
   * @default 100
   */
  baseMs?: number | undefined
  /**
   * Longest wait between two attempts, in milliseconds, unless the server asks for a longer one.
   * @default 20000
   */
  maxMs?: number | undefined
  /**
   * Factor of the wait with each further attempt: with 2 it doubles, with 1 it stays the same.
   * @default 2
   */
  factor?: number | undefined
  /**
   * Whether waits are random, from 0 to the longest ("full jitter"), so that clients that failed together do not come
   * back together. `false` = every wait is the longest.
   * @default true
   */
  jitter?: boolean | undefined
  /**
   * Retries per call, over all calls of the last ten seconds: 0.2 = one retry for five calls.
   * @default 0.2
   */
  budgetRatio?: number | undefined
  /**
   * Further retries per second, so that a client with few calls can retry as well.
   * @default 10
   */
  budgetPerSecond?: number | undefined
}

/** `RetryOptions` with every default in place. */
export interface ResolvedRetryOptions {
  readonly maxAttempts: number
  readonly baseMs: number
  readonly maxMs: number
  readonly factor: number
  readonly jitter: boolean
  readonly budgetRatio: number
  readonly budgetPerSecond: number
}

/** When the circuit breaker of an endpoint opens, and for how long; see `ClientOptions.breaker`. */
export interface BreakerOptions {
  /**
   * Number of consecutive failures that opens the breaker. Attempts that were under way together and fail together
   * count as one.
   * @default 5
   */
  failures?: number | undefined
  /**
   * Share of failed attempts within `windowMs` that opens the breaker, from 0.01 to 1. The share counts once there were
   * `minimumAttempts` attempts.
   * @default 0.5
   */
  ratio?: number | undefined
  /**
   * Least number of attempts within `windowMs` for `ratio` to count.
   * @default 20
   */
  minimumAttempts?: number | undefined
  /**
   * Length of the window over which `ratio` is computed, in milliseconds.
   * @default 10000
   */
  windowMs?: number | undefined
  /**
   * Time for which a breaker is open at first, in milliseconds. Then the breaker lets one call through as a probe. The
   * time doubles with each probe that fails, up to `openMs`, and is shorter by up to a fifth at random.
   * @default 500
   */
  firstOpenMs?: number | undefined
  /**
   * Longest time for which a breaker is open before a probe, in milliseconds.
   * @default 60000
   */
  openMs?: number | undefined
  /**
   * Time that a call waits, within its deadline, where the breakers of all endpoints are open, in milliseconds; then
   * the call fails with `unavailable`, reason `circuit_open`. While calls wait, the client tries a new connection every
   * 500 ms, whatever the breakers say. Waiting takes neither attempts nor budget. 0 = such calls fail at once.
   * @default 2000
   */
  waitMs?: number | undefined
}

/** `BreakerOptions` with every default in place. */
export interface ResolvedBreakerOptions {
  readonly failures: number
  readonly ratio: number
  readonly minimumAttempts: number
  readonly windowMs: number
  readonly firstOpenMs: number
  readonly openMs: number
  readonly waitMs: number
}

/** How many calls may be under way at a time; see `ClientOptions.concurrency`. */
export interface ConcurrencyOptions {
  /**
   * Maximum number of calls under way. Further calls wait in order.
   * @default 10000
   */
  maxCalls?: number | undefined
  /**
   * Maximum number of calls that wait. Further calls fail with `resource_exhausted`, reason `queue_full`.
   * @default 100000
   */
  maxQueued?: number | undefined
  /**
   * Whether the number of calls under way follows the load that the endpoints can take, up to `maxCalls`. See
   * docs/adaptive.md.
   * @default false
   */
  adaptive?: boolean | undefined
}

/** `ConcurrencyOptions` with every default in place. */
export interface ResolvedConcurrencyOptions {
  readonly maxCalls: number
  readonly maxQueued: number
  readonly adaptive: boolean
}

/** Bounds of the limits that adapt; see `ClientOptions.adaptive`. */
export interface AdaptiveOptions {
  /**
   * Percentile of the times of an endpoint's answers for `attemptTimeoutMs: 'adaptive'`, by method and size.
   * @default 99
   */
  percentile?: number | undefined
  /**
   * Factor of this percentile: an attempt has so many times as long as the slowest of the usual answers take.
   * @default 3
   */
  factor?: number | undefined
  /**
   * Least time for an attempt, in milliseconds.
   * @default 500
   */
  leastTimeoutMs?: number | undefined
  /**
   * Longest time for an attempt, in milliseconds; also before the endpoint has given 20 answers.
   * @default 30000
   */
  mostTimeoutMs?: number | undefined
  /**
   * Least number of calls under way at one endpoint for `concurrency: 'adaptive'`. With so many under way, the client
   * measures how long answers take without load.
   * @default 4
   */
  leastCalls?: number | undefined
}

/** `AdaptiveOptions` with every default in place. */
export interface ResolvedAdaptiveOptions {
  readonly percentile: number
  readonly factor: number
  readonly leastTimeoutMs: number
  readonly mostTimeoutMs: number
  readonly leastCalls: number
}

/** A second attempt of slow reads; see `ClientOptions.hedge`. */
export interface HedgeOptions {
  /**
   * Time after which a read without an answer is sent again, in milliseconds. A good value is the 95th percentile of
   * latency.
   */
  delayMs: number
}

/** `HedgeOptions` with every default in place. */
export interface ResolvedHedgeOptions {
  readonly delayMs: number
}

/** How the client checks its endpoints; see `ClientOptions.healthCheck`. */
export interface HealthCheckOptions {
  /**
   * Time from one check to the next, in milliseconds. It varies by up to a tenth, so that many clients do not ask
   * together.
   * @default 10000
   */
  intervalMs?: number | undefined
  /**
   * Time for the answer to a check, in milliseconds; then the check has failed.
   * @default 2000
   */
  timeoutMs?: number | undefined
}

/** `HealthCheckOptions` with every default in place. */
export interface ResolvedHealthCheckOptions {
  readonly intervalMs: number
  readonly timeoutMs: number
}

/** How the client gathers calls into frames; see `ClientOptions.batch`. */
export interface BatchOptions {
  /**
   * Maximum number of operations in one frame. The server's own limit applies where it is lower.
   * @default 256
   */
  maxOperations?: number | undefined
  /**
   * Maximum size of one frame, in bytes. A larger operation is sent in a frame of its own. The server's own limit
   * applies where it is lower.
   * @default 262144
   */
  maxBytes?: number | undefined
  /**
   * Time that the first call of a frame waits for further calls while no frame is in flight, in milliseconds; 0 = the
   * frame is sent at once.
   * @default 0
   */
  lingerMs?: number | undefined
  /**
   * Maximum number of frames in flight. Within this bound, the client adapts the number to the round trip time.
   * @default 64
   */
  framesInFlight?: number | undefined
  /**
   * Maximum number of operations that wait for a frame. Further calls fail with `resource_exhausted`, reason
   * `queue_full`.
   * @default 100000
   */
  maxQueued?: number | undefined
  /**
   * Approximate maximum size of the operations that wait for a frame, in bytes. An empty queue accepts one operation of
   * any size. The client does not copy contents that wait, so that this bounds the caller's memory.
   * @default 1073741824
   */
  maxQueuedBytes?: number | undefined
}

/** `BatchOptions` with every default in place. */
export interface ResolvedBatchOptions {
  readonly maxOperations: number
  readonly maxBytes: number
  readonly lingerMs: number
  readonly framesInFlight: number
  readonly maxQueued: number
  readonly maxQueuedBytes: number
}
