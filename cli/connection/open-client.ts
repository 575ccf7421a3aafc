/** The client of a command: its options come from flags, from the environment and from a configuration. */
import type { Client, ClientConfig, ClientOptions, ClientRegistry } from '../../src/index.ts'
import type { Cli } from '../context.ts'
import { isBlobwireError, UsageError } from '../errors.ts'
import type { Io } from '../io.ts'
import type { ClientFlags } from './flags.ts'

const defaultEndpoint = 'http://127.0.0.1:4100'
/** The client that a command makes where nobody has named one. */
const defaultName = 'default'

/** A registry, and the one client that the command uses. */
interface OpenedClient {
  readonly registry: ClientRegistry
  readonly name: string
}

async function loadConfiguration(env: Io['env'], given: string | undefined) {
  const { loadConfig } = await import('../../src/index.ts')
  const file = given ?? (env['BLOBWIRE_CONFIG'] || undefined)
  // One process is one caller: a breaker would only hide why its calls fail.
  return loadConfig(file ?? { defaults: { endpoint: defaultEndpoint, breaker: false } }, { env })
}

/** All clients of a configuration. @throws BlobwireError with all mistakes */
export async function openConfiguration(env: Io['env'], file: string | undefined): Promise<ClientRegistry> {
  const { createClientRegistry } = await import('../../src/index.ts')
  const config = await loadConfiguration(env, file)
  return createClientRegistry(config, config.names.length > 0 ? {} : { clients: { [defaultName]: {} } })
}

/** @throws BlobwireError for a configuration that is wrong; UsageError where the client is not in it, or is one of several */
async function openRegistry(env: Io['env'], flags: ClientFlags): Promise<OpenedClient> {
  try {
    return await openNamed(env, flags)
  } catch (error) {
    if (!isBlobwireError(error)) throw error
    throw error.renamed((field) => nameOf(field, flags, env))
  }
}

/** The name of the flag or the variable that has set an option. */
function nameOf(field: string, { endpoint, timeout }: ClientFlags, env: Io['env']): string {
  const [, option] = /^clients\.[^.]+\.(\w+)$/.exec(field) ?? []
  if (option === 'endpoint' && endpoint !== undefined) return '--endpoint'
  if (option === 'timeoutMs' && timeout !== undefined) return '--timeout'
  return option === 'tokenFile' && env['BLOBWIRE_TOKEN_FILE'] ? 'BLOBWIRE_TOKEN_FILE' : field
}

async function openNamed(env: Io['env'], flags: ClientFlags): Promise<OpenedClient> {
  const { createClientRegistry } = await import('../../src/index.ts')
  const config = await loadConfiguration(env, flags.config)
  const name = flags.client ?? nameIn(config.names)
  if (flags.client !== undefined && !config.names.includes(name)) {
    const known = config.names.length > 0 ? `expected one of ${config.names.join(', ')}` : 'there are none'
    throw new UsageError(`--client ${JSON.stringify(name)}: the configuration has no such client; ${known}`)
  }
  const { endpoint, transport, timeout } = flags
  const own = {
    ...(endpoint !== undefined && { endpoint }),
    ...(transport !== undefined && { transport }),
    ...(timeout !== undefined && { timeoutMs: timeout as NonNullable<ClientConfig['timeoutMs']> })
  }
  return { registry: createClientRegistry(config, { clients: { [name]: own } }), name }
}

function nameIn(names: readonly string[]): string {
  const [only = defaultName, ...others] = names
  if (others.length === 0) return only
  if (names.includes(defaultName)) return defaultName
  throw new UsageError(`the configuration has several clients: choose one of ${names.join(', ')} by --client`)
}

/** Closes the client when the work has ended, and ends the work by that when the command is to end. */
export async function withClient<Result>(
  { io, signal }: Pick<Cli, 'io' | 'signal'>,
  flags: ClientFlags,
  work: (client: Client, options: ClientOptions) => Promise<Result>
): Promise<Result> {
  const { registry, name } = await openRegistry(io.env, flags)
  const end = () => void registry.close()
  signal.addEventListener('abort', end)
  try {
    signal.throwIfAborted()
    return await work(registry.client(name), await optionsOf(registry, name))
  } finally {
    signal.removeEventListener('abort', end)
    await registry.close()
  }
}

/** The options that a client was made with. */
export async function optionsOf(registry: ClientRegistry, name: string): Promise<ClientOptions> {
  const { ClientRegistry } = await import('../../src/client/registry/registry.ts')
  const options = ClientRegistry.optionsOf(registry, name)
  if (options === undefined) throw new Error(`no client ${name}`)
  return options
}
