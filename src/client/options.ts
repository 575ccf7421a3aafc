/** The options of a client: their defaults and checks. */
import type { BatchOptions, ResolvedBatchOptions } from '../batch/options.ts'
import { isToken, type Token, tokenProblem } from '../call/credentials.ts'
import type { Compression } from '../compression/compression.ts'
import { type Endpoint, parseEndpoint } from '../connection/endpoint.ts'
import { type ConnectionOptions, type ResolvedConnectionOptions, resolveConnection } from '../connection/options.ts'
import type { TlsOptions } from '../connection/tls-options.ts'
import { checkBoolean, checkKeys, checkNumber, checkObject, show } from '../core/check-options.ts'
import { invalidArgument, type TransportName } from '../core/error.ts'
import { checkHeaders } from '../core/headers.ts'
import { decodeLatin1, toNative } from '../platform/bytes.ts'
import type { Interceptor } from './interceptor.ts'
import {
  checkBatch,
  checkPolicies,
  type PolicyOptions,
  policyOptions,
  type ResolvedPolicies
} from './policy-options.ts'

/** Options of `createClient`. Only `endpoint` is required. */
export interface ClientOptions extends PolicyOptions {
  /**
   * Address of the server: `http://` or `https://` for every transport, `grpc://` or `grpcs://` with a port for gRPC
   * alone. With an `http(s)://` endpoint, the gRPC transport asks the server for its gRPC address once; an endpoint that
   * answers as a gRPC port does (status 415) is that address itself. With a list, each call goes to the endpoint with the
   * fewest attempts under way. All endpoints must have the same scheme and serve the same repositories.
   */
  endpoint: string | readonly string[]
  /**
   * Transport of the calls. `auto` uses `msgpack`, the fastest, for `http(s)://` endpoints and `grpc` for `grpc(s)://`
   * endpoints. Where the server does not support a transport, or a proxy blocks it, `auto` falls back from `grpc` to
   * `msgpack` and then to `json`. `client.stats()` reports the transport in use and the reason.
   * @default 'auto'
   */
  transport?: 'auto' | TransportName | undefined
  /**
   * Bearer token (RFC 6750), or a function that returns one. The function is called before every request; cache the
   * token yourself. The token is sent to the given endpoints only: a gRPC address at another host, which a server names,
   * is refused with `failed_precondition`, reason `host_refused`.
   * @default none
   */
  token?: Token | undefined
  /**
   * TLS of `https://` and `grpcs://` endpoints.
   * @default {}
   */
  tls?: TlsOptions | undefined
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
   * How concurrent calls share frames. While frames are in flight, the client gathers calls into the next frame; each
   * call still settles by itself. A lone call is sent at once. `false` sends each call as a request of its own.
   * @default { 'maxOperations': 256, 'maxBytes': 262144, 'lingerMs': 0, 'framesInFlight': 64, 'maxQueued': 100000,
   * 'maxQueuedBytes': 1073741824 }
   */
  batch?: BatchOptions | false | undefined
  /**
   * How requests are compressed, from 1 KiB and where a sample shows that it pays, and which compressed responses are
   * accepted: `'auto'` = zstd where the server has it, and gzip; `'gzip'` = gzip alone; `'none'` = not at all. Over gRPC,
   * requests are compressed with gzip, and responses are not compressed.
   * @default 'auto'
   */
  compression?: Compression | undefined
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
  readonly compression: Compression
  readonly verify: boolean
  readonly maxResponseBytes: number
  readonly interceptors: readonly Interceptor[]
}

const transports = ['auto', 'json', 'msgpack', 'grpc'] as const
const compressions = ['auto', 'gzip', 'none'] as const
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
  'compression',
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
  if (options === undefined)
    throw invalidArgument('options', "are required, such as { endpoint: 'http://127.0.0.1:4100' }")
  checkKeys('', checkObject('options', options), keys)
  const endpoints = checkEndpoints(options.endpoint)
  const tls = checkTls(checkObject('tls', options.tls))
  if (typeof options.token !== 'function' && options.token !== undefined && !isToken(options.token)) {
    throw invalidArgument(
      'token',
      `must be a function that returns a bearer token, or a bearer token${tokenProblem(options.token)}`
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
    compression: checkCompression(options),
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
    throw invalidArgument('endpoint', `must be one endpoint or a list of 1 to ${maxEndpoints} endpoints`)
  }
  const endpoints = new Map(all.map((text) => [text as string, parseEndpoint(text)]))
  const schemes = new Set([...endpoints.values()].map(({ protocol, secure }) => `${protocol} ${secure}`))
  // A token must not go to one of them in clear because another is named first.
  if (schemes.size > 1) throw invalidArgument('endpoint', 'all endpoints must have the same scheme')
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
    throw invalidArgument('transport', `must be grpc or auto for a grpc(s):// endpoint, not ${show(value)}`)
  }
  return [name]
}

/** The older `gzip` counts where the newer option is not given. */
function checkCompression({ compression, gzip = true }: ClientOptions): Compression {
  const otherwise = checkBoolean('gzip', gzip) ? 'auto' : 'none'
  const found = compressions.find((each) => each === (compression ?? otherwise))
  if (found !== undefined) return found
  throw invalidArgument('compression', `must be one of ${compressions.join(', ')}, not ${show(compression)}`)
}

/** The older `connectTimeoutMs` counts where the newer option is not given. */
function checkConnection({ connection = {}, connectTimeoutMs }: ClientOptions): ResolvedConnectionOptions {
  if (connectTimeoutMs === undefined) return resolveConnection(connection)
  checkNumber('connectTimeoutMs', connectTimeoutMs)
  const { connectTimeoutMs: newer = connectTimeoutMs } = connection
  return resolveConnection({ ...connection, connectTimeoutMs: newer })
}

function checkInterceptors(given: readonly Interceptor[]): readonly Interceptor[] {
  if (!Array.isArray(given)) throw invalidArgument('interceptors', `must be a list, not ${show(given)}; use [value]`)
  for (const [index, item] of given.entries()) {
    if (typeof item !== 'function' && typeof item?.request !== 'function') {
      throw invalidArgument(`interceptors[${index}]`, `must be a function or { request: function }, not ${show(item)}`)
    }
  }
  return [...given]
}

function checkTls(tls: TlsOptions): TlsOptions {
  if ('rejectUnauthorized' in tls)
    throw invalidArgument(
      'tls.rejectUnauthorized',
      'unknown option; certificates are always checked: give their authority as ca'
    )
  checkKeys('tls', tls, tlsKeys)
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw invalidArgument('tls', 'cert and key must be given together')
  }
  for (const pem of Array.isArray(tls.ca) ? tls.ca : [tls.ca]) checkPem('ca', pem)
  checkPem('cert', tls.cert)
  checkPem('key', tls.key)
  if (tls.minVersion !== undefined && tls.minVersion !== 'TLSv1.2' && tls.minVersion !== 'TLSv1.3') {
    throw invalidArgument('tls.minVersion', `must be TLSv1.2 or TLSv1.3, not ${show(tls.minVersion)}`)
  }
  return tls
}

/** OpenSSL passes over whatever is outside of PEM's lines, so that a path would be a list without certificates. */
function checkPem(name: 'ca' | 'cert' | 'key', pem: unknown): void {
  if (pem === undefined) return
  const text = pem instanceof Uint8Array ? decodeLatin1(toNative(pem)) : pem
  if (typeof text === 'string' && text.includes('-----BEGIN ')) return
  // A key must not end up in a log.
  const path = typeof pem === 'string' && name !== 'key' ? show(pem) : 'path'
  const read = `not its path; read the file: readFileSync(${path})`
  throw invalidArgument(`tls.${name}`, `must be the text or the bytes of a PEM file (-----BEGIN …), ${read}`)
}
