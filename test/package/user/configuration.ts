/** The part of the program that takes its clients from a configuration. */
import {
  type ClientConfig,
  type ClientRegistry,
  type Config,
  createClientRegistry,
  type Duration,
  defaultClient,
  type EnvironmentName,
  environments,
  type LoadConfigOptions,
  loadConfig,
  type Preset,
  type ProfileName,
  profiles,
  type RegistryConfig,
  type RegistryHealth,
  type RegistryOptions,
  type RegistryStats,
  type Size,
  type StatsTotals,
  type TlsConfig
} from 'blobwire'
import { seen } from './interceptors.ts'

export async function configuration(endpoint: string): Promise<void> {
  const timeoutMs: Duration = '20s'
  const maxResponseBytes: Size = '1MiB'
  const profile: ProfileName = 'api'
  const environment: EnvironmentName = 'testing'
  const tls: TlsConfig = { minVersion: 'TLSv1.3' }
  const client: ClientConfig = { endpoint, profile, timeoutMs, maxResponseBytes, tls }
  const config: RegistryConfig<'api'> = { environment, clients: { api: client } }
  const options: LoadConfigOptions = { env: { BLOBWIRE_CLIENT_API__TRANSPORT: 'json' } }
  const loaded: Config<'api'> = await loadConfig(config, options)
  const inCode: RegistryOptions<'api'> = { defaults: { retry: { maxAttempts: 2 } } }
  const registry: ClientRegistry<'api'> = createClientRegistry(loaded, inCode)
  await registry.client('api').listRepositories()
  const stats: RegistryStats<'api'> = registry.stats()
  const totals: StatsTotals = stats.totals
  const health: RegistryHealth<'api'> = registry.health()
  const presets: Preset[] = [profiles[profile], environments[environment]]
  seen.push(`${totals.calls} ${presets.length} ${typeof defaultClient} ${health.status}`)
  await registry.close()
}
