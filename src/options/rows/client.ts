/** Options of a client. */
import type { Rows } from '../row.ts'
import { connectionRows, tlsRows } from './connection.ts'
import { batchRows } from './policies.ts'

/** Options of `createClient`. Only `endpoint` is required. */
export const clientRows = {
  /**
   * Address of the server: `http://` or `https://` for every transport, `grpc://` or `grpcs://` with a port for gRPC
   * alone. With an `http(s)://` endpoint, the gRPC transport asks the server for its gRPC address once; an endpoint that
   * answers as a gRPC port does (status 415) is that address itself. With a list, each call goes to the endpoint with the
   * fewest attempts under way. All endpoints must have the same scheme and serve the same repositories.
   */
  endpoint: {
    kind: 'endpoint',
    type: 'string | readonly (string | EndpointOptions)[]',
    from: 'options/types.ts',
    required: true
  },
  /**
   * Transport of the calls. `auto` uses `msgpack`, the fastest, for `http(s)://` endpoints and `grpc` for `grpc(s)://`
   * endpoints. Where the server does not support a transport, or a proxy blocks it, `auto` falls back from `grpc` to
   * `msgpack` and then to `json`. `client.stats()` reports the transport in use and the reason.
   */
  transport: { kind: 'choice', values: ['auto', 'json', 'msgpack', 'grpc'], default: 'auto' },
  /**
   * Bearer token (RFC 6750), or a function that returns one. The function is called before every request; cache the
   * token yourself. The token is sent to the given endpoints only: a gRPC address at another host, which a server names,
   * is refused with `failed_precondition`, reason `host_refused`.
   */
  token: { kind: 'token', type: 'Token', from: 'call/credentials.ts', secret: true },
  /**
   * TLS of `https://` and `grpcs://` endpoints.
   */
  tls: {
    kind: 'group',
    type: 'TlsOptions',
    rows: tlsRows,
    together: ['cert', 'key']
  },
  /**
   * Where the program runs. `'development'` and `'testing'` allow `tls.rejectUnauthorized: false`; nothing else depends on
   * it here. The clients of a registry have that of the registry, which has presets for it.
   */
  environment: { kind: 'choice', values: ['production', 'development', 'testing'], default: 'production' },
  /**
   * Time for one call, in milliseconds; then the call fails with `deadline_exceeded`. For `batch` and `commitFiles`, it
   * covers all their requests together.
   */
  timeoutMs: { kind: 'number', unit: 'ms', default: 30_000, above: 0 },
  /**
   * Connections: their number, age, timeouts and PINGs, and the HTTP proxy. Each of these options has a default of its
   * own.
   */
  connection: { kind: 'group', type: 'ConnectionOptions', rows: connectionRows },
  /**
   * Older name of `connection.connectTimeoutMs`. Where both are given, `connection.connectTimeoutMs` applies.
   */
  connectTimeoutMs: { kind: 'number', unit: 'ms', above: 0 },
  /**
   * Headers (gRPC: metadata) of every call.
   */
  headers: { kind: 'headers' },
  /**
   * Name of the application, such as `shop/1.2`, in front of the client's own in the header `user-agent` of every
   * request: `shop/1.2 blobwire/<version>` (RFC 9110 section 10.1.5). Over gRPC, grpc-js appends its own name.
   */
  userAgent: { kind: 'text', must: 'printable ASCII, such as shop/1.2', pattern: '^[\\x21-\\x7e][\\x20-\\x7e]*$' },
  /**
   * How concurrent calls share frames. While frames are in flight, the client gathers calls into the next frame; each
   * call still settles by itself. A lone call is sent at once. `false` sends each call as a request of its own.
   */
  batch: { kind: 'group', type: 'BatchOptions', rows: batchRows, instead: [false] },
  /**
   * How requests are compressed, from 1 KiB and where a sample shows that it pays, and which compressed responses are
   * accepted: `'always'` = zstd where the server has it, and gzip; `'auto'` = the same, and not at all where client and
   * server run on one machine, which compression would slow down; `'gzip'` = gzip alone; `'none'` = not at all. Over gRPC,
   * requests are compressed with gzip, and responses are not compressed.
   */
  compression: { kind: 'choice', values: ['auto', 'always', 'gzip', 'none'], default: 'auto' },
  /**
   * Older name of `compression`: `true` = `'auto'`, `false` = `'none'`. Where both are given, `compression` applies.
   */
  gzip: { kind: 'boolean' },
  /**
   * Whether the client computes the oid of every object that it reads or stores and compares it with the server's
   * answer. Without this check, damaged or forged answers go unnoticed.
   */
  verify: { kind: 'boolean', default: true },
  /**
   * Maximum size of a response message, in bytes after decompression. A call with a larger response fails with
   * `resource_exhausted`.
   */
  maxResponseBytes: { kind: 'number', unit: 'bytes', default: 16 * 1024 * 1024, above: 0 },
  /**
   * Functions around every call, or objects `{ request }` with a function around every request that calls make. The
   * first one is the outermost. See docs/interceptors.md.
   */
  interceptors: {
    kind: 'code',
    type: 'Interceptor',
    from: 'client/interceptor.ts',
    list: true,
    callable: true,
    methods: ['request']
  },
  /**
   * Objects that are told of every call and every attempt, for tracing and logs. An observer that throws breaks no call.
   * See docs/observing.md.
   */
  observers: { kind: 'code', type: 'Observer', from: 'telemetry/observer.ts', list: true, methods: ['callStarted'] },
  /**
   * Function that is given the timeline of each call when the call ends: its steps, attempts, outcome and durations.
   * `String(timeline)` is readable text. The function must be fast; an exception of it breaks no call. See
   * docs/observing.md.
   */
  onCall: {
    kind: 'code',
    type: 'CallListener',
    from: 'telemetry/call-timeline.ts',
    callable: true
  },
  /**
   * Takes rare events: connections, retries, circuit breakers, lost sessions, fallbacks, stalled transfers and slow calls.
   * pino's loggers and `console` fit. Entries have neither tokens nor contents.
   */
  logger: {
    kind: 'code',
    type: 'Logger',
    from: 'telemetry/logger.ts',
    methods: ['debug', 'info', 'warn', 'error']
  },
  /**
   * Duration from which a call is slow and its event `slow_call` is told to the logger, in milliseconds. Uploads and
   * downloads have none: their time is that of their size.
   */
  slowCallMs: { kind: 'number', unit: 'ms', default: 1000, above: 0 }
} as const satisfies Rows
