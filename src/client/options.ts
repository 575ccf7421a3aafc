/** The options of a client: checked against the table of options, with every default in place. */
import { isToken, tokenProblem } from '../call/credentials.ts'
import { type Endpoint, parseEndpoint } from '../connection/endpoint.ts'
import { show } from '../core/check-options.ts'
import { BlobwireError, type FieldViolation, invalidArgument, type TransportName } from '../core/error.ts'
import { type Check, checkRows, throwProblems } from '../options/check.ts'
import { resolveConnection, resolveRows } from '../options/resolve.ts'
import { endpointRows } from '../options/rows/connection.ts'
import { concurrencyRows, retryRows } from '../options/rows/policies.ts'
import { allClientRows } from '../options/table.ts'
import type {
  ConnectionOptions,
  EndpointOptions,
  ResolvedConcurrencyOptions,
  ResolvedConnectionOptions,
  ResolvedEndpointOptions,
  ResolvedRetryOptions
} from '../options/types.ts'
import type { ClientOptions, ResolvedClientOptions } from './client-options.ts'

/**
 * Options with every default in place.
 * @internal
 */
export interface ResolvedOptions
  extends Omit<
    ResolvedClientOptions,
    'endpoint' | 'transport' | 'retry' | 'concurrency' | 'hedge' | 'connectTimeoutMs' | 'gzip'
  > {
  /** By the text that was given. */
  readonly endpoints: ReadonlyMap<string, Endpoint>
  /** By the same text. `attemptTimeoutMs` and `connection` are those of the client, unless the endpoint has its own. */
  readonly endpointOptions: ReadonlyMap<string, ResolvedEndpoint>
  /** In the order of preference; one = no other is tried. */
  readonly transports: readonly TransportName[]
  readonly retry: ResolvedRetryOptions
  readonly concurrency: ResolvedConcurrencyOptions
  readonly hedge: { readonly delayMs: number } | false
}

/** The options of one endpoint. */
export interface ResolvedEndpoint extends ResolvedEndpointOptions {
  readonly connection: ResolvedConnectionOptions
}

/**
 * Checks options and fills in defaults.
 * @throws BlobwireError `invalid_argument` with all problems, each naming the option, the value and the allowed values;
 * also for unknown options
 * @internal
 */
export function resolveOptions(given: ClientOptions): ResolvedOptions {
  if (given === undefined)
    throw invalidArgument('options', "are required, such as { endpoint: 'http://127.0.0.1:4100' }")
  const check: Check = { problems: [], own: ownChecks }
  const checked = checkRows('', given, allClientRows, check) as unknown as ResolvedClientOptions
  if (checked.tls?.rejectUnauthorized === false && checked.environment === 'production') {
    const description = "must be true but with environment: 'development' or 'testing'; give the authority as ca"
    check.problems.push({ field: 'tls.rejectUnauthorized', description })
  }
  throwProblems(check.problems)
  const { endpoint, transport, retry, concurrency, hedge, connectTimeoutMs, gzip, ...rest } = checked
  const endpoints = parsedEndpoints(endpoint)
  const options = {
    ...rest,
    transports: checkTransport(transport, [...endpoints.values()]),
    // One attempt: the budget stays, for operations of a broken session are sent again.
    retry: retry === false ? (resolveRows('retry', { maxAttempts: 1 }, retryRows) as ResolvedRetryOptions) : retry,
    concurrency: concurrency === 'adaptive' ? adaptiveConcurrency() : concurrency,
    hedge: hedge ?? false,
    connection: resolveConnection(connectionOf(given)),
    compression: given.compression ?? (gzip === false ? 'none' : checked.compression)
  } as const
  return { ...options, endpoints, endpointOptions: endpointOptions(given, options.attemptTimeoutMs) }
}

function adaptiveConcurrency(): ResolvedConcurrencyOptions {
  return resolveRows('concurrency', { adaptive: true }, concurrencyRows) as ResolvedConcurrencyOptions
}

/** The checks of options that have their own. */
export const ownChecks = { endpoint: checkEndpoint, token: checkToken }

/** Most endpoints of one client; each has connections of its own. */
const maxEndpoints = 64

const listOf = (given: ClientOptions['endpoint']): readonly (string | EndpointOptions)[] =>
  Array.isArray(given) ? given : [given as string]

const urlOf = (given: string | EndpointOptions): string =>
  typeof given === 'object' && given !== null && !((given as unknown) instanceof URL) ? given.url : (given as string)

function parsedEndpoints(given: ClientOptions['endpoint']): Map<string, Endpoint> {
  return new Map(
    listOf(given)
      .map(urlOf)
      .map((url) => [url, parseEndpoint(url)])
  )
}

/** The check of `endpoint`. */
function checkEndpoint(given: unknown, path: string, check: Check): unknown {
  const before = check.problems.length
  const all = listOf(given as ClientOptions['endpoint'])
  const checked: unknown[] = []
  if (all.length === 0 || all.length > maxEndpoints) {
    const description = `must be one endpoint or a list of 1 to ${maxEndpoints} endpoints`
    check.problems.push({ field: path, description })
  }
  for (const [index, each] of all.entries()) {
    const url = urlOf(each)
    const own = url === each ? each : checkRows(`${path}[${index}]`, each, endpointRows, check)
    checked.push(own)
    if (url === each || url !== undefined) check.problems.push(...endpointProblems(url, path))
    else if (check.partial) check.problems.push({ field: `${path}[${index}].url`, description: 'is required' })
  }
  if (check.problems.length > before) return given
  const schemes = new Set(
    all
      .map(urlOf)
      .map(parseEndpoint)
      .map(({ protocol, secure }) => `${protocol} ${secure}`)
  )
  // A token must not go to one of them in clear because another is named first.
  if (schemes.size > 1) check.problems.push({ field: path, description: 'all endpoints must have the same scheme' })
  return check.partial && Array.isArray(given) ? checked : given
}

function endpointProblems(url: string, path: string): FieldViolation[] {
  try {
    parseEndpoint(url)
    return []
  } catch (error) {
    if (!(error instanceof BlobwireError)) throw error
    return (error.details.violations ?? []).map(({ description }) => ({ field: path, description }))
  }
}

/** The endpoints with their own options. */
function endpointOptions(
  given: ClientOptions,
  attemptTimeoutMs: number | 'adaptive' | undefined
): ReadonlyMap<string, ResolvedEndpoint> {
  const common = connectionOf(given)
  const resolved = listOf(given.endpoint).map((each): [string, ResolvedEndpoint] => {
    const own: EndpointOptions = typeof each === 'string' ? { url: each } : each
    const connection = resolveConnection({ ...common, ...own.connection })
    return [
      own.url,
      { url: own.url, weight: own.weight ?? 1, attemptTimeoutMs: own.attemptTimeoutMs ?? attemptTimeoutMs, connection }
    ]
  })
  return new Map(resolved)
}

function checkToken(given: unknown, path: string, check: Check): unknown {
  if (typeof given === 'function' || given === undefined || isToken(given)) return given
  const description = `must be a function that returns a bearer token, or a bearer token${tokenProblem(given)}`
  check.problems.push({ field: path, description })
  return given
}

/**
 * @throws BlobwireError `invalid_argument` for a transport that the endpoints do not speak
 * @internal
 */
function checkTransport(name: 'auto' | TransportName, endpoints: readonly Endpoint[]): readonly TransportName[] {
  const isGrpc = endpoints.some(({ protocol }) => protocol === 'grpc')
  if (name === 'auto') return isGrpc ? ['grpc', 'msgpack', 'json'] : ['msgpack', 'json']
  if (isGrpc && name !== 'grpc') {
    throw invalidArgument('transport', `must be grpc or auto for a grpc(s):// endpoint, not ${show(name)}`)
  }
  return [name]
}

const transports: readonly TransportName[] = ['json', 'msgpack', 'grpc']

/** The transport that a call asks for, whose options no table checks. @throws BlobwireError `invalid_argument` */
export function transportOfCall(name: TransportName, endpoints: readonly Endpoint[]): TransportName | undefined {
  if (!transports.includes(name)) {
    throw invalidArgument('transport', `must be one of ${transports.join(', ')}, not ${show(name)}`)
  }
  return checkTransport(name, endpoints)[0]
}

/** The older `connectTimeoutMs` counts where the newer option is not given. */
function connectionOf({ connection, connectTimeoutMs }: ClientOptions): ConnectionOptions {
  return { ...connection, connectTimeoutMs: connection?.connectTimeoutMs ?? connectTimeoutMs }
}
