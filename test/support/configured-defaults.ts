/** The options of configurations, as a registry without them has them. */
import { createClientRegistry, loadConfig } from '../../src/index.ts'
import { named } from './found-defaults.ts'

/** Values by the names of the options, and of the words that `@default` has for them. */
export async function configuredDefaults() {
  process.env['BLOBWIRE_CLIENT_PROBE__ENDPOINT'] = 'http://127.0.0.1:4100'
  // Both read the environment before they return, so that no other test sees the variable.
  const loading = loadConfig({})
  const readsEnvironment = createClientRegistry({}).names.join() === 'probe'
  delete process.env['BLOBWIRE_CLIENT_PROBE__ENDPOINT']
  const { names } = await loading
  const alone = createClientRegistry({}, { env: {} })
  const clients = Object.fromEntries(alone.names.map((name) => [name, {}]))
  return {
    found: {
      ...named('RegistryConfig', { environment: alone.environment, defaults: {}, clients }),
      ...named('RegistryOptions', { defaults: {}, clients, env: readsEnvironment }),
      ...named('LoadConfigOptions', { env: names.join() === 'probe' }),
      ...named('ConfigOptions', { profile: undefined, tokenFile: undefined, tls: {} }),
      ...named('TlsConfig', { caFile: undefined, certFile: undefined, keyFile: undefined })
    },
    words: { 'the environment of the process': true }
  }
}
