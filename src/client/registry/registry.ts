/// <reference lib="esnext.disposable" preserve="true" />
/** Clients by their names, made from a configuration on first use. */
import { expectedKeys, show } from '../../core/check-options.ts'
import { BlobwireError, invalidArgument } from '../../core/error.ts'
import type { EnvironmentName } from '../../options/presets.ts'
import * as configuration from '../../platform/configuration.ts'
import { type Client, createClient } from '../client.ts'
import type { ClientOptions } from '../client-options.ts'
import { type ClientHealth, type HealthStatus, worstOf } from '../health.ts'
import type { ClientStats } from '../stats.ts'
import { type ClientConfig, Config, type RegistryConfig, readSource } from './config.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { Findings } from './findings.ts'
import type { ConfigLayer } from './layer.ts'
import { checkedOptions, environmentOf, namesIn } from './merge.ts'
import { type RegistryStats, totalsOf } from './registry-stats.ts'

/** Names that are not inferred from the place where this stands. */
type Fixed<Name extends string> = [Name][Name extends unknown ? 0 : never]

/** What code says besides a configuration; it counts more than every other source. */
export interface RegistryOptions<Name extends string = string> {
  /**
   * Options of all clients, such as `token`, `interceptors` and `observers`, which no file can have.
   * @default {}
   */
  readonly defaults?: ClientConfig | undefined
  /**
   * Options of single clients.
   * @default {}
   */
  readonly clients?: { readonly [Key in Name]?: ClientConfig } | undefined
  /**
   * The environment, where the configuration is an object. `loadConfig` reads it for files.
   * @default the environment of the process
   */
  readonly env?: Environment | undefined
}

/** The health of a registry. */
export interface RegistryHealth<Name extends string = string> {
  status: HealthStatus
  /** Why it is not healthy, each with the name of the client in front. */
  causes: string[]
  /** The clients that were made so far, by name. */
  clients: { [Key in Name]?: ClientHealth }
}

/** Clients by their names. Each has connections of its own, so that one service cannot use up those of another. */
export class ClientRegistry<Name extends string = string> implements AsyncDisposable {
  readonly #options: ReadonlyMap<string, ClientOptions>
  readonly #clients = new Map<string, Client>()
  #isClosed = false
  /** The environment that its presets are of. */
  readonly environment: EnvironmentName

  /** @internal */
  constructor(options: ReadonlyMap<string, ClientOptions>, environment: EnvironmentName) {
    this.#options = options
    this.environment = environment
  }

  /** @internal */
  static optionsOf(registry: ClientRegistry, name: string): ClientOptions | undefined {
    return registry.#options.get(name)
  }

  /** The names of all clients, whether or not they were used. */
  get names(): Name[] {
    return [...this.#options.keys()] as Name[]
  }

  /**
   * The client of this name, which is made when it is first asked for. Everybody who asks gets the same one.
   * @throws BlobwireError `invalid_argument` for a name that the configuration does not have; `cancelled`, reason
   * `client_closed`, after `close`
   */
  client(name: Name): Client {
    if (this.#isClosed)
      throw new BlobwireError({ reason: 'client_closed', message: 'the registry of clients is closed' })
    const found = this.#clients.get(name)
    if (found !== undefined) return found
    const options = this.#options.get(name)
    if (options === undefined) {
      const hint =
        typeof name === 'string' ? expectedKeys(name, this.names) : `expected one of ${this.names.join(', ')}`
      throw invalidArgument('client', `unknown client ${show(name)}; ${hint}`)
    }
    const client = createClient(options)
    this.#clients.set(name, client)
    return client
  }

  /** The statistics of the clients that were made, and their sums. */
  stats(): RegistryStats<Name> {
    const stats = [...this.#clients].map(([name, client]) => [name, client.stats()] as const)
    const clients = Object.fromEntries(stats) as { [Key in Name]?: ClientStats }
    return { clients, totals: totalsOf(stats.map(([, each]) => each)) }
  }

  /** The health of the clients that were made: as bad as that of the worst one. Nothing is sent. */
  health(): RegistryHealth<Name> {
    const health = [...this.#clients].map(([name, client]) => [name, client.health()] as const)
    return {
      status: worstOf(health.map(([, { status }]) => status)),
      causes: health.flatMap(([name, { causes }]) => causes.map((cause) => `${name}: ${cause}`)),
      clients: Object.fromEntries(health) as { [Key in Name]?: ClientHealth }
    }
  }

  /** Closes all clients, as `Client.close` does. Clients that are asked for later are refused. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#clients.values()].map((client) => client.close()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/**
 * Creates a registry of clients from a configuration: one that `loadConfig` has read, or an object in the code. With
 * neither, the environment alone says which clients there are. Nothing is sent to a server.
 * @throws BlobwireError `invalid_argument` with a violation for each mistake in any of the clients
 * @example
 * const registry = createClientRegistry({
 *   defaults: { endpoint: 'http://127.0.0.1:4100' },
 *   clients: { storage: { profile: 'storage' }, api: { profile: 'api', timeoutMs: '20s' } }
 * })
 * const page = await registry.client('storage').listRepositories()
 * await registry.close()
 */
export function createClientRegistry<const Name extends string = string>(
  config: Config<Name> | RegistryConfig<Name> = {},
  options: RegistryOptions<Fixed<Name>> = {}
): ClientRegistry<Name> {
  const findings = new Findings()
  const layers = layersOf(config, options, findings)
  const clients = checkedOptions(layers, findings, { isComplete: true })
  findings.throwAny()
  return new ClientRegistry<Name>(clients, environmentOf(layers))
}

/** All sources, the highest last. */
function layersOf(
  config: Config | RegistryConfig,
  { env = configuration.environment(), ...code }: RegistryOptions,
  findings: Findings
): readonly ConfigLayer[] {
  const own = readSource(code, { source: 'code', findings })
  if (config instanceof Config) return [...Config.layersOf(config), own]
  const given = readSource(config, { source: 'code', findings })
  const names = namesIn([given, own])
  return [readEnvironment(env, names.length > 0 ? names : undefined, findings), given, own]
}

let shared: ClientRegistry<'default'> | undefined

/**
 * The client that the environment of the process describes: `BLOBWIRE_ENDPOINT`, `BLOBWIRE_TOKEN` and so on. It is made
 * on first use, and everybody gets the same one. Who closes it, closes it for the whole process.
 * @throws BlobwireError `invalid_argument` where the environment has no endpoint, or is wrong
 */
export function defaultClient(): Client {
  shared ??= createClientRegistry({ clients: { default: {} } })
  return shared.client('default')
}
