import { type Endpoint, parseEndpoint } from '../connection/endpoint.ts'
import { type ConnectionOptions, type ResolvedConnectionOptions, resolveConnection } from '../connection/options.ts'
import { secureContext, type TlsOptions } from '../connection/tls.ts'
import { invalidArgument, type TransportName } from '../core/error.ts'
import type { BatchOptions, ResolvedBatchOptions } from '../pipeline/batch/options.ts'
import { isToken, type Token } from '../pipeline/credentials.ts'
import type { Interceptor } from '../pipeline/layer.ts'
import { checkHeaders } from './headers.ts'

/** What `createClient` takes. Only `endpoint` has no default. */
export interface ClientOptions {
  /**
   * Where the server listens: `http://` or `https://` for any transport, `grpc://` or `grpcs://` with a port for gRPC
   * alone. With `http(s)://` the address for gRPC is asked of the server once.
   */
  endpoint: string
  /**
   * How calls travel. `auto` is `grpc` for `grpc(s)://` endpoints and `msgpack` otherwise.
   * @default 'auto'
   */
  transport?: 'auto' | TransportName | undefined
  /**
   * Bearer token (RFC 6750), or a function that gives one; it is asked before each request, so let it keep what is
   * still good. It is sent to the endpoint only.
   * @default none
   */
  token?: Token | undefined
  /** Certificates, for `https://` and `grpcs://`. */
  tls?: TlsOptions | undefined
  /**
   * Time for one call, in milliseconds; `batch` and `commitFiles` have it for all their requests together.
   * @default 30000
   */
  timeoutMs?: number | undefined
  /**
   * How connections are opened, shared, watched and closed, and the proxy on the way. Each of these options has a
   * default of its own.
   */
  connection?: ConnectionOptions | undefined
  /** Older name of `connection.connectTimeoutMs`, which counts more. */
  connectTimeoutMs?: number | undefined
  /**
   * Headers (gRPC: metadata) for every call.
   * @default {}
   */
  headers?: Readonly<Record<string, string>> | undefined
  /**
   * How concurrent calls share requests. While frames are under way, calls gather into the next one, and each still
   * settles by itself; a lone call is sent at once. `false` makes each call a request of its own.
   * @default { 'maxOperations': 256, 'maxBytes': 262144, 'lingerMs': 0, 'framesInFlight': 64, 'maxQueued': 100000 }
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
   * Functions around every call, outermost first.
   * @default []
   */
  interceptors?: readonly Interceptor[] | undefined
}

/** Options with every default in place. */
export interface ResolvedOptions {
  readonly endpoint: Endpoint
  readonly transport: TransportName
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
  'interceptors'
]

/**
 * Checks options and fills in defaults.
 * @throws BlobwireError `invalid_argument` naming the option, the value and what is allowed; also for unknown options
 */
export function resolveOptions(options: ClientOptions): ResolvedOptions {
  checkKeys('', options, keys)
  if (Array.isArray(options.endpoint))
    throw invalidArgument('endpoint', 'several endpoints are not there yet; give one')
  const endpoint = parseEndpoint(options.endpoint)
  const tls = checkTls(options.tls ?? {})
  if (typeof options.token !== 'function' && options.token !== undefined && !isToken(options.token)) {
    throw invalidArgument(
      'token',
      'must be a bearer token (letters, digits and -._~+/ with = at the end) or a function'
    )
  }
  const interceptors = options.interceptors ?? []
  if (!Array.isArray(interceptors) || interceptors.some((item) => typeof item !== 'function')) {
    throw invalidArgument('interceptors', 'must be a list of functions')
  }
  return {
    endpoint,
    transport: checkTransport(options.transport, endpoint),
    token: options.token,
    tls,
    timeoutMs: checkNumber('timeoutMs', options.timeoutMs ?? 30_000),
    connection: checkConnection(options),
    headers: checkHeaders(options.headers ?? {}),
    batch: options.batch === false ? false : checkBatch(options.batch ?? {}),
    gzip: checkBoolean('gzip', options.gzip ?? true),
    verify: checkBoolean('verify', options.verify ?? true),
    maxResponseBytes: checkNumber('maxResponseBytes', options.maxResponseBytes ?? 16 * 1024 * 1024),
    interceptors: [...interceptors]
  }
}

function show(value: unknown): string {
  return typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value)).slice(0, 80)
}

function checkKeys(where: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value !== 'object' || value === null) throw invalidArgument(where || 'options', 'must be an object')
  for (const key of Object.keys(value)) {
    if (!allowed.includes(key)) {
      const name = where ? `${where}.${key}` : key
      throw invalidArgument(name, `there is no such option; there are ${allowed.join(', ')}`)
    }
  }
}

function checkTransport(value: unknown, endpoint: Endpoint): TransportName {
  const name = transports.find((known) => known === (value ?? 'auto'))
  if (name === undefined)
    throw invalidArgument('transport', `must be one of ${transports.join(', ')}, not ${show(value)}`)
  if (name === 'auto') return endpoint.protocol === 'grpc' ? 'grpc' : 'msgpack'
  if (endpoint.protocol === 'grpc' && name !== 'grpc') {
    throw invalidArgument('transport', `a grpc(s):// endpoint speaks gRPC only, not ${name}`)
  }
  return name
}

/** A positive number of milliseconds or bytes. @throws BlobwireError `invalid_argument` */
export function checkNumber(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
  throw invalidArgument(name, `must be a number above 0, not ${show(value)}`)
}

/** The older name stands where the newer one does not. */
function checkConnection({ connection = {}, connectTimeoutMs }: ClientOptions): ResolvedConnectionOptions {
  if (connectTimeoutMs === undefined) return resolveConnection(connection)
  checkNumber('connectTimeoutMs', connectTimeoutMs)
  const { connectTimeoutMs: newer = connectTimeoutMs } = connection
  return resolveConnection({ ...connection, connectTimeoutMs: newer })
}

const batchDefaults: ResolvedBatchOptions = {
  maxOperations: 256,
  maxBytes: 256 * 1024,
  lingerMs: 0,
  framesInFlight: 64,
  maxQueued: 100_000
}

function checkBatch(batch: BatchOptions): ResolvedBatchOptions {
  checkKeys('batch', batch, Object.keys(batchDefaults))
  const resolved = { ...batchDefaults }
  for (const key of Object.keys(batchDefaults) as (keyof BatchOptions)[]) {
    const value = batch[key]
    if (value === undefined) continue
    const isCount = Number.isInteger(value) && value >= 1
    const isTime = key === 'lingerMs' && Number.isFinite(value) && value >= 0
    if (!isCount && !isTime) {
      const allowed = key === 'lingerMs' ? 'a number of milliseconds, 0 or more' : 'an integer of 1 or more'
      throw invalidArgument(`batch.${key}`, `must be ${allowed}, not ${show(value)}`)
    }
    resolved[key] = value
  }
  return resolved
}

function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw invalidArgument(name, `must be true or false, not ${show(value)}`)
}

function checkTls(tls: TlsOptions): TlsOptions {
  checkKeys('tls', tls, tlsKeys)
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw invalidArgument('tls', 'cert and key go together')
  }
  if (tls.minVersion !== undefined && tls.minVersion !== 'TLSv1.2' && tls.minVersion !== 'TLSv1.3') {
    throw invalidArgument('tls.minVersion', `must be TLSv1.2 or TLSv1.3, not ${show(tls.minVersion)}`)
  }
  // Only to have what cannot be used refused here, not at the first call.
  secureContext(tls)
  return tls
}
