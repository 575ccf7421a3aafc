/** Control of an open client: by an operator, not by its calls. */
import { show } from '../core/check-options.ts'
import { invalidArgument } from '../core/error.ts'
import { throwProblems } from '../options/check.ts'
import type { BatchOptions, BreakerOptions, ConcurrencyOptions, ConnectionOptions } from '../options/types.ts'
import type { CallInvoker } from './call-invoker.ts'
import type { ClientOptions } from './client-options.ts'
import { resolveOptions } from './options.ts'

/** Options of connections that may change while a client is open. */
const connectionLimits = [
  'maxConnections',
  'maxTransferConnections',
  'maxIdleConnections',
  'maxStreamsPerConnection',
  'idleTimeoutMs',
  'maxAgeMs',
  'connectTimeoutMs',
  'tlsHandshakeTimeoutMs',
  'pingIntervalMs',
  'pingTimeoutMs'
] as const

const limits = ['timeoutMs', 'attemptTimeoutMs', 'adaptive', 'concurrency', 'priority', 'retry', 'hedge'] as const
const groups = ['breaker', 'batch', 'connection'] as const
const changeable: readonly string[] = [...limits, ...groups]

/** Options that `client.update` changes; within a group, those that are not given stay as they are. */
export interface ClientUpdate extends Pick<ClientOptions, (typeof limits)[number]> {
  /** A client has a breaker, or none, for as long as it is open. */
  breaker?: BreakerOptions | undefined
  /** A client gathers calls, or does not, for as long as it is open. */
  batch?: BatchOptions | undefined
  /**
   * Limits on the number, streams, age and idle time count for open connections at once, times for connecting and PINGs
   * for connections that are opened from then on. Over gRPC all of them count for the next connection.
   */
  connection?: Pick<ConnectionOptions, (typeof connectionLimits)[number]> | undefined
}

const whileOpen = 'cannot be changed while the client is open'

type Given = Readonly<Record<string, unknown>>

const isGroup = (value: unknown): value is Given => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The options with the changes. Unknown options are told by the check of options. */
function merged(before: ClientOptions, changes: Given): ClientOptions {
  const all: Record<string, unknown> = { ...before }
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) continue
    const change =
      name === 'concurrency' && value === 'adaptive' ? ({ adaptive: true } satisfies ConcurrencyOptions) : value
    const current = all[name] === 'adaptive' && name === 'concurrency' ? { adaptive: true } : all[name]
    const given = isGroup(change) ? Object.entries(change).filter(([, each]) => each !== undefined) : []
    all[name] = isGroup(change) ? { ...(isGroup(current) ? current : {}), ...Object.fromEntries(given) } : change
  }
  return all as unknown as ClientOptions
}

function unchangeable(changes: Given, { options }: CallInvoker) {
  const problems = Object.keys(changes)
    .filter((name) => changes[name] !== undefined && name in options && !changeable.includes(name))
    .map((field) => ({ field, description: whileOpen }))
  for (const name of ['endpoint', 'transport', 'gzip', 'connectTimeoutMs']) {
    if (changes[name] !== undefined) problems.push({ field: name, description: whileOpen })
  }
  for (const name of ['breaker', 'batch'] as const) {
    const isOther = changes[name] !== undefined && (changes[name] === false) !== (options[name] === false)
    if (isOther) problems.push({ field: name, description: `cannot be switched on or off while the client is open` })
  }
  const connection = isGroup(changes['connection']) ? Object.keys(changes['connection']) : []
  for (const name of connection) {
    if (name in options.connection && !connectionLimits.includes(name as (typeof connectionLimits)[number])) {
      problems.push({ field: `connection.${name}`, description: whileOpen })
    }
  }
  return problems
}

/**
 * Changes options of an open client, all or none, and returns the options as they are then given.
 * @throws BlobwireError `invalid_argument` that names what cannot be changed, or is wrong
 * @internal
 */
export function updateOptions(invoker: CallInvoker, current: ClientOptions, update: ClientUpdate): ClientOptions {
  const changes = update as Given
  if (!isGroup(changes)) throw invalidArgument('update', `must be an object of options, not ${show(update)}`)
  throwProblems(unchangeable(changes, invoker))
  const given = merged(current, changes)
  const next = resolveOptions(given)
  // The connections keep the objects that they have.
  const { connection, endpoints } = invoker.options
  const endpointOptions = new Map(next.endpointOptions)
  for (const [url, before] of invoker.options.endpointOptions) {
    const own = endpointOptions.get(url)
    if (own) endpointOptions.set(url, { ...own, connection: Object.assign(before.connection, own.connection) })
  }
  invoker.options = { ...next, endpointOptions, endpoints, connection: Object.assign(connection, next.connection) }
  invoker.pipeline.update(next)
  for (const channel of invoker.pipeline.channels()) void channel.connectionLimitsChanged()
  return given
}

/**
 * Closes circuit breakers.
 * @throws BlobwireError `invalid_argument` for an endpoint that the client does not have
 * @internal
 */
export function resetBreakers({ options, pipeline }: CallInvoker, endpoint: string | undefined): void {
  if (endpoint !== undefined && !options.endpoints.has(endpoint)) {
    const given = [...options.endpoints.keys()].join(', ')
    throw invalidArgument('endpoint', `must be one of the client's endpoints (${given}), not ${show(endpoint)}`)
  }
  for (const channel of pipeline.channels()) {
    if (endpoint === undefined || channel.endpoint === endpoint) channel.breaker?.reset()
  }
}

/**
 * Closes the connections on which nothing is under way.
 * @internal
 */
export async function closeIdleConnections({ pipeline }: CallInvoker): Promise<void> {
  await Promise.all(pipeline.channels().map((channel) => channel.closeIdle()))
}
