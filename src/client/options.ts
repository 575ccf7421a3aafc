/** The options of a client: their defaults and checks. */
import type { BatchOptions, ResolvedBatchOptions } from '../batch/options.ts'
import { isToken, type Token } from '../call/credentials.ts'
import { type Endpoint, parseEndpoint } from '../connection/endpoint.ts'
import { type ConnectionOptions, type ResolvedConnectionOptions, resolveConnection } from '../connection/options.ts'
import type { TlsOptions } from '../connection/tls-options.ts'
import { checkBoolean, checkKeys, checkNumber, checkObject, show } from '../core/check-options.ts'
import { invalidArgument, type TransportName } from '../core/error.ts'
import { checkHeaders } from './headers.ts'
import type { Interceptor } from './interceptor.ts'
import {
  checkBatch,
  checkPolicies,
  type PolicyOptions,
  policyOptions,
  type ResolvedPolicies
} from './policy-options.ts'

/** What `createClient` takes. Only `endpoint` has no default. */
export interface ClientOptions extends PolicyOptions {
  /**
   * Where the server listens: `http://` or `https://` for any transport, `grpc://` or `grpcs://` with a port for gRPC
   * alone. With `http(s)://` the address for gRPC is asked of the server once. Of several, each call takes the one with
   * the least to do; all serve the same repositories, and have the same scheme.
   */
  endpoint: string | readonly string[]
  /**
   * How calls travel. `auto` takes `msgpack` for `http(s)://` endpoints, which is the fastest, and `grpc` for
   * `grpc(s)://`; where that cannot be had (the server does not speak it, or something on the way lets it not through)
   * it goes on with `msgpack`, then `json`. `stats()` tells what is in use and why.
   * @default 'auto'
   */
  transport?: 'auto' | TransportName | undefined
  /**
   * Bearer token (RFC 6750), or a function that gives one; it is asked before each request, so let it keep what is
   * still good. It is sent to the endpoint only.
   * @default none
   */
  token?: Token | undefined
  /**
   * Certificates, for `https://` and `grpcs://`.
   * @default {}
   */
  tls?: TlsOptions | undefined
  /**
   * Time for one call, in milliseconds; `batch` and `commitFiles` have it for all their requests together.
   * @default 30000
   */
  timeoutMs?: number | undefined
  /**
   * How connections are opened, shared, watched and closed, and the proxy on the way. Each of these options has a
   * default of its own.
   * @default {}
   */
  connection?: ConnectionOptions | undefined
  /**
   * Older name of `connection.connectTimeoutMs`, which counts more.
   * @default none
   */
  connectTimeoutMs?: number | undefined
  /**
   * Headers (gRPC: metadata) for every call.
   * @default {}
   */
  headers?: Readonly<Record<string, string>> | undefined
  /**
   * How concurrent calls share requests. While frames are under way, calls gather into the next one, and each still
   * settles by itself; a lone call is sent at once. `false` makes each call a request of its own.
   * @default { 'maxOperations': 256, 'maxBytes': 262144, 'lingerMs': 0, 'framesInFlight': 64, 'maxQueued': 100000, 'maxQueuedBytes': 1073741824 }
   */
  batch?: BatchOptions | false | undefined
  /**
   * Compress requests of 1 KiB and more, and ask for compressed responses.
   * @default true
   */
  gzip?: boolean | undefined
  /**
   * Compute the oid of everything that is read or stored and compare it with what the server says. Without it a
   * damaged or lying server goes unnoticed.
   * @default true
   */
  verify?: boolean | undefined
  /**
   * Largest response message, in bytes after decompression; more fails with `resource_exhausted`.
   * @default 16777216
   */
  maxResponseBytes?: number | undefined
  /**
   * Functions around every call, or `{ request }` with one around every request that calls make; outermost first.
   * docs/interceptors.md says what they see and may do.
   * @default []
   */
  interceptors?: readonly Interceptor[] | undefined
}

/**
 * Options with every default in place.
 * @internal
 */
export interface ResolvedOptions extends ResolvedPolicies {
  /** By the text that was given. */
  readonly endpoints: ReadonlyMap<string, Endpoint>
  /** In the order of preference; one = no other is tried. */
  readonly transports: readonly TransportName[]
  readonly token: Token | undefined
  readonly tls: TlsOptions
  readonly timeoutMs: number
  readonly connection: ResolvedConnectionOptions
  readonly headers: Readonly<Record<string, string>>
  readonly batch: ResolvedBatchOptions | false
  readonly gzip: boolean
  readonly verify: boolean
  readonly maxResponseBytes: number
  readonly interceptors: readonly Interceptor[]
}

const transports = ['auto', 'json', 'msgpack', 'grpc'] as const
const tlsKeys = ['ca', 'cert', 'key', 'serverName', 'minVersion']
const keys = [
  'endpoint',
  'transport',
  'token',
  'tls',
  'timeoutMs',
  'connection',
  'connectTimeoutMs',
  'headers',
  'batch',
  'gzip',
  'verify',
  'maxResponseBytes',
  'interceptors',
  ...policyOptions
]

/**
 * Checks options and fills in defaults.
 * @throws BlobwireError `invalid_argument` naming the option, the value and the allowed values; also for unknown options
 * @internal
 */
export function resolveOptions(options: ClientOptions): ResolvedOptions {
  checkKeys('', checkObject('options', options), keys)
  const endpoints = checkEndpoints(options.endpoint)
  const tls = checkTls(checkObject('tls', options.tls))
  if (typeof options.token !== 'function' && options.token !== undefined && !isToken(options.token)) {
    throw invalidArgument(
      'token',
      'must be a bearer token (letters, digits and -._~+/ with = at the end) or a function'
    )
  }
  return {
    ...checkPolicies(options),
    endpoints,
    transports: checkTransport(options.transport, [...endpoints.values()]),
    token: options.token,
    tls,
    timeoutMs: checkNumber('timeoutMs', options.timeoutMs ?? 30_000),
    connection: checkConnection(options),
    headers: checkHeaders(options.headers ?? {}),
    batch: checkBatch(options.batch),
    gzip: checkBoolean('gzip', options.gzip ?? true),
    verify: checkBoolean('verify', options.verify ?? true),
    maxResponseBytes: checkNumber('maxResponseBytes', options.maxResponseBytes ?? 16 * 1024 * 1024),
    interceptors: checkInterceptors(options.interceptors ?? [])
  }
}

/** Most endpoints of one client; each has connections of its own. */
const maxEndpoints = 64

function checkEndpoints(given: unknown): Map<string, Endpoint> {
  const all = Array.isArray(given) ? given : [given]
  if (all.length === 0 || all.length > maxEndpoints) {
    throw invalidArgument('endpoint', `must be one endpoint or a list of 1 to ${maxEndpoints}`)
  }
  const endpoints = new Map(all.map((text) => [text as string, parseEndpoint(text)]))
  const schemes = new Set([...endpoints.values()].map(({ protocol, secure }) => `${protocol} ${secure}`))
  // A token for a TLS endpoint must not be sent to a cleartext one.
  if (schemes.size > 1) throw invalidArgument('endpoint', 'all must have the same scheme')
  return endpoints
}

/**
 * @throws BlobwireError `invalid_argument` for an unknown transport, or one that the endpoints do not speak
 * @internal
 */
export function checkTransport(value: unknown, endpoints: readonly Endpoint[]): readonly TransportName[] {
  const name = transports.find((each) => each === (value ?? 'auto'))
  if (name === undefined)
    throw invalidArgument('transport', `must be one of ${transports.join(', ')}, not ${show(value)}`)
  const isGrpc = endpoints.some(({ protocol }) => protocol === 'grpc')
  if (name === 'auto') return isGrpc ? ['grpc', 'msgpack', 'json'] : ['msgpack', 'json']
  if (isGrpc && name !== 'grpc') {
    throw invalidArgument('transport', `a grpc(s):// endpoint speaks gRPC only, not ${name}`)
  }
  return [name]
}

/** The older `connectTimeoutMs` counts where the newer option is not given. */
function checkConnection({ connection = {}, connectTimeoutMs }: ClientOptions): ResolvedConnectionOptions {
  if (connectTimeoutMs === undefined) return resolveConnection(connection)
  checkNumber('connectTimeoutMs', connectTimeoutMs)
  const { connectTimeoutMs: newer = connectTimeoutMs } = connection
  return resolveConnection({ ...connection, connectTimeoutMs: newer })
}

function checkInterceptors(given: readonly Interceptor[]): readonly Interceptor[] {
  if (!Array.isArray(given)) throw invalidArgument('interceptors', 'must be a list')
  for (const [index, item] of given.entries()) {
    if (typeof item !== 'function' && typeof item?.request !== 'function') {
      throw invalidArgument(`interceptors[${index}]`, 'must be a function, or { request } with a function')
    }
  }
  return [...given]
}

function checkTls(tls: TlsOptions): TlsOptions {
  checkKeys('tls', tls, tlsKeys)
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw invalidArgument('tls', 'cert and key go together')
  }
  if (tls.minVersion !== undefined && tls.minVersion !== 'TLSv1.2' && tls.minVersion !== 'TLSv1.3') {
    throw invalidArgument('tls.minVersion', `must be TLSv1.2 or TLSv1.3, not ${show(tls.minVersion)}`)
  }
  return tls
}
