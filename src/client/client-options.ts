/** Options of a client. Made from src/options/table.ts by `npm run generate`. */
import type { Token } from '../call/credentials.ts'
import type {
  AdaptiveOptions,
  BatchOptions,
  BreakerOptions,
  ConcurrencyOptions,
  ConnectionOptions,
  EndpointOptions,
  HealthCheckOptions,
  HedgeOptions,
  ResolvedAdaptiveOptions,
  ResolvedBatchOptions,
  ResolvedBreakerOptions,
  ResolvedConcurrencyOptions,
  ResolvedConnectionOptions,
  ResolvedHealthCheckOptions,
  ResolvedHedgeOptions,
  ResolvedRetryOptions,
  ResolvedTlsOptions,
  RetryOptions,
  TlsOptions
} from '../options/types.ts'
import type { CallListener } from '../telemetry/call-timeline.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Observer } from '../telemetry/observer.ts'
import type { Interceptor } from './interceptor.ts'

/** Retries, circuit breaker, concurrency and hedging. */
export interface PolicyOptions {
  /**
   * How the client retries failed calls; `false` = the client makes one attempt. The client retries `unavailable` and
   * the errors that the server marks as `retryable`, after the time that the server asks for, within the call's
   * deadline. Every operation is safe to repeat.
   * @default {}
   */
  retry?: RetryOptions | false | undefined
  /**
   * When the circuit breaker of a failing endpoint opens. Calls then go to another endpoint; where there is none, they
   * wait for a while, then fail with `unavailable`, reason `circuit_open`. `false` = there is no circuit breaker.
   * @default { 'failures': 5, 'ratio': 0.5, 'minimumAttempts': 20, 'windowMs': 10000, 'firstOpenMs': 500, 'openMs':
   * 60000, 'waitMs': 2000 }
   */
  breaker?: BreakerOptions | false | undefined
  /**
   * Maximum number of calls under way. Further calls wait in order. `'adaptive'` = `{ adaptive: true }`.
   * @default {}
   */
  concurrency?: ConcurrencyOptions | 'adaptive' | undefined
  /**
   * Priority of the calls. While the server is busy, `'background'` calls, such as imports and backups, yield to
   * `'interactive'` ones: where both wait, one call of five is a background call, and where the queue is full,
   * background calls fail first, with `resource_exhausted`, reason `shed`.
   * @default 'interactive'
   */
  priority?: 'interactive' | 'background' | undefined
  /**
   * Time for one attempt, in milliseconds. After this time the attempt fails and the client retries the call. Without
   * it, only the call's deadline applies, so that a large call on a slow network has all the time of the call.
   * `'adaptive'` = the time follows the answers of the endpoint; see docs/adaptive.md.
   * @default none
   */
  attemptTimeoutMs?: number | 'adaptive' | undefined
  /**
   * Bounds of the limits that adapt: `attemptTimeoutMs: 'adaptive'` and `concurrency: 'adaptive'`.
   * @default { 'percentile': 99, 'factor': 3, 'leastTimeoutMs': 500, 'mostTimeoutMs': 30000, 'leastCalls': 4 }
   */
  adaptive?: AdaptiveOptions | undefined
  /**
   * Sends a slow read a second time, to another endpoint where there is one, and takes the first answer.
   * @default none
   */
  hedge?: HedgeOptions | undefined
  /**
   * Asks each endpoint at a steady interval whether it answers, from the creation of the client on, so that the circuit
   * breaker of an endpoint that fails opens before calls meet it, and closes again without a call as its probe. Without
   * this option, calls alone tell about endpoints. `client.health()` has the results. Checks do not keep the process
   * running.
   * @default none
   */
  healthCheck?: HealthCheckOptions | undefined
}

/** `PolicyOptions` with every default in place. */
export interface ResolvedPolicyOptions {
  readonly retry: ResolvedRetryOptions | false
  readonly breaker: ResolvedBreakerOptions | false
  readonly concurrency: ResolvedConcurrencyOptions | 'adaptive'
  readonly priority: 'interactive' | 'background'
  readonly attemptTimeoutMs: number | 'adaptive' | undefined
  readonly adaptive: ResolvedAdaptiveOptions
  readonly hedge: ResolvedHedgeOptions | undefined
  readonly healthCheck: ResolvedHealthCheckOptions | undefined
}

/** Options of `createClient`. Only `endpoint` is required. */
export interface ClientOptions extends PolicyOptions {
  /**
   * Address of the server: `http://` or `https://` for every transport, `grpc://` or `grpcs://` with a port for gRPC
   * alone. With an `http(s)://` endpoint, the gRPC transport asks the server for its gRPC address once; an endpoint
   * that answers as a gRPC port does (status 415) is that address itself. With a list, each call goes to the endpoint
   * with the fewest attempts under way. All endpoints must have the same scheme and serve the same repositories.
   */
  endpoint: string | readonly (string | EndpointOptions)[]
  /**
   * Transport of the calls. `auto` uses `msgpack`, the fastest, for `http(s)://` endpoints and `grpc` for `grpc(s)://`
   * endpoints. Where the server does not support a transport, or a proxy blocks it, `auto` falls back from `grpc` to
   * `msgpack` and then to `json`. `client.stats()` reports the transport in use and the reason.
   * @default 'auto'
   */
  transport?: 'auto' | 'json' | 'msgpack' | 'grpc' | undefined
  /**
   * Bearer token (RFC 6750), or a function that returns one. The function is called before every request; cache the
   * token yourself. The token is sent to the given endpoints only: a gRPC address at another host, which a server
   * names, is refused with `failed_precondition`, reason `host_refused`.
   * @default none
   */
  token?: Token | undefined
  /**
   * TLS of `https://` and `grpcs://` endpoints.
   * @default {}
   */
  tls?: TlsOptions | undefined
  /**
   * Where the program runs. `'development'` and `'testing'` allow `tls.rejectUnauthorized: false`; nothing else depends
   * on it here. The clients of a registry have that of the registry, which has presets for it.
   * @default 'production'
   */
  environment?: 'production' | 'development' | 'testing' | undefined
  /**
   * Time for one call, in milliseconds; then the call fails with `deadline_exceeded`. For `batch` and `commitFiles`, it
   * covers all their requests together.
   * @default 30000
   */
  timeoutMs?: number | undefined
  /**
   * Connections: their number, age, timeouts and PINGs, and the HTTP proxy. Each of these options has a default of its
   * own.
   * @default {}
   */
  connection?: ConnectionOptions | undefined
  /**
   * Older name of `connection.connectTimeoutMs`. Where both are given, `connection.connectTimeoutMs` applies.
   * @default none
   */
  connectTimeoutMs?: number | undefined
  /**
   * Headers (gRPC: metadata) of every call.
   * @default {}
   */
  headers?: Readonly<Record<string, string>> | undefined
  /**
   * Name of the application, such as `shop/1.2`, in front of the client's own in the header `user-agent` of every
   * request: `shop/1.2 blobwire/<version>` (RFC 9110 section 10.1.5). Over gRPC, grpc-js appends its own name.
   * @default none
   */
  userAgent?: string | undefined
  /**
   * How concurrent calls share frames. While frames are in flight, the client gathers calls into the next frame; each
   * call still settles by itself. A lone call is sent at once. `false` sends each call as a request of its own.
   * @default { 'maxOperations': 256, 'maxBytes': 262144, 'lingerMs': 0, 'framesInFlight': 64, 'maxQueued': 100000,
   * 'maxQueuedBytes': 1073741824 }
   */
  batch?: BatchOptions | false | undefined
  /**
   * How requests are compressed, from 1 KiB and where a sample shows that it pays, and which compressed responses are
   * accepted: `'always'` = zstd where the server has it, and gzip; `'auto'` = the same, and not at all where client and
   * server run on one machine, which compression would slow down; `'gzip'` = gzip alone; `'none'` = not at all. Over
   * gRPC, requests are compressed with gzip, and responses are not compressed.
   * @default 'auto'
   */
  compression?: 'auto' | 'always' | 'gzip' | 'none' | undefined
  /**
   * Older name of `compression`: `true` = `'auto'`, `false` = `'none'`. Where both are given, `compression` applies.
   * @default none
   */
  gzip?: boolean | undefined
  /**
   * Whether the client computes the oid of every object that it reads or stores and compares it with the server's
   * answer. Without this check, damaged or forged answers go unnoticed.
   * @default true
   */
  verify?: boolean | undefined
  /**
   * Maximum size of a response message, in bytes after decompression. A call with a larger response fails with
   * `resource_exhausted`.
   * @default 16777216
   */
  maxResponseBytes?: number | undefined
  /**
   * Functions around every call, or objects `{ request }` with a function around every request that calls make. The
   * first one is the outermost. See docs/interceptors.md.
   * @default []
   */
  interceptors?: readonly Interceptor[] | undefined
  /**
   * Objects that are told of every call and every attempt, for tracing and logs. An observer that throws breaks no
   * call. See docs/observing.md.
   * @default []
   */
  observers?: readonly Observer[] | undefined
  /**
   * Function that is given the timeline of each call when the call ends: its steps, attempts, outcome and durations.
   * `String(timeline)` is readable text. The function must be fast; an exception of it breaks no call. See
   * docs/observing.md.
   * @default none
   */
  onCall?: CallListener | undefined
  /**
   * Takes rare events: connections, retries, circuit breakers, lost sessions, fallbacks, stalled transfers and slow
   * calls. pino's loggers and `console` fit. Entries have neither tokens nor contents.
   * @default none
   */
  logger?: Logger | undefined
  /**
   * Duration from which a call is slow and its event `slow_call` is told to the logger, in milliseconds. Uploads and
   * downloads have none: their time is that of their size.
   * @default 1000
   */
  slowCallMs?: number | undefined
}

/** `ClientOptions` with every default in place. */
export interface ResolvedClientOptions extends ResolvedPolicyOptions {
  readonly endpoint: string | readonly (string | EndpointOptions)[]
  readonly transport: 'auto' | 'json' | 'msgpack' | 'grpc'
  readonly token: Token | undefined
  readonly tls: ResolvedTlsOptions
  readonly environment: 'production' | 'development' | 'testing'
  readonly timeoutMs: number
  readonly connection: ResolvedConnectionOptions
  readonly connectTimeoutMs: number | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly userAgent: string | undefined
  readonly batch: ResolvedBatchOptions | false
  readonly compression: 'auto' | 'always' | 'gzip' | 'none'
  readonly gzip: boolean | undefined
  readonly verify: boolean
  readonly maxResponseBytes: number
  readonly interceptors: readonly Interceptor[]
  readonly observers: readonly Observer[]
  readonly onCall: CallListener | undefined
  readonly logger: Logger | undefined
  readonly slowCallMs: number
}
