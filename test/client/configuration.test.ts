/** Configurations: which source counts, human units, files and variables. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { resolveOptions } from '../../src/client/options.ts'
import { variableOf } from '../../src/client/registry/environment.ts'
import { ClientRegistry } from '../../src/client/registry/registry.ts'
import { type ClientConfig, createClientRegistry, environments, loadConfig, profiles } from '../../src/index.ts'
import { configGroups } from '../../src/options/config-rows.ts'
import { fileOf } from '../support/configuration-file.ts'

const endpoint = 'http://127.0.0.1:4100'

/** The options of a client as they are resolved. */
function resolved(registry: ClientRegistry, name = 'main') {
  return resolveOptions(ClientRegistry.optionsOf(registry, name) ?? assert.fail(`no client ${name}`))
}

/** What each source says, in the order of their precedence. */
interface Sources {
  code?: ClientConfig
  codeDefaults?: ClientConfig
  object?: ClientConfig
  objectDefaults?: ClientConfig
  clientVariable?: string
  variable?: string
  file?: ClientConfig
  fileDefaults?: ClientConfig
  environment?: 'testing'
  profile?: 'storage'
}

async function withSources(sources: Sources): Promise<ClientRegistry> {
  const { code, codeDefaults, object, objectDefaults, clientVariable, variable, file, fileDefaults } = sources
  const env = {
    BLOBWIRE_ENDPOINT: endpoint,
    BLOBWIRE_TIMEOUT_MS: variable,
    BLOBWIRE_CLIENT_MAIN__TIMEOUT_MS: clientVariable,
    BLOBWIRE_ENVIRONMENT: sources.environment,
    BLOBWIRE_PROFILE: sources.profile
  }
  const more = { ...(codeDefaults && { defaults: codeDefaults }), clients: code ? { main: code } : {} }
  const given = (defaults: ClientConfig = {}, main: ClientConfig = {}) => ({ defaults, clients: { main } })
  if (object ?? objectDefaults) return createClientRegistry(given(objectDefaults, object), { ...more, env })
  return createClientRegistry(await loadConfig(given(fileDefaults, file), { env }), more)
}

test('of each pair of sources, the higher one counts', async () => {
  const sources: readonly (readonly [name: string, sources: Sources, timeoutMs: number])[] = [
    ['code, one client', { code: { timeoutMs: 1 } }, 1],
    ['code, all clients', { codeDefaults: { timeoutMs: 2 } }, 2],
    ['an object in code, one client', { object: { timeoutMs: '3ms' } }, 3],
    ['an object in code, all clients', { objectDefaults: { timeoutMs: 4 } }, 4],
    ['a variable of one client', { clientVariable: '5' }, 5],
    ['a variable of all clients', { variable: '6ms' }, 6],
    ['the file, one client', { file: { timeoutMs: 7 } }, 7],
    ['the file, all clients', { fileDefaults: { timeoutMs: '8ms' } }, 8],
    ['the environment', { environment: 'testing' }, environments.testing.options.timeoutMs],
    ['the profile', { profile: 'storage' }, profiles.storage.options.timeoutMs],
    ['none', {}, 30_000]
  ]
  let pairs = 0
  for (const [index, [high, mine, timeoutMs]] of sources.entries()) {
    for (const [low, others] of sources.slice(index)) {
      // An object stands in the place of a file.
      if (/object/.test(high + low) && /the file/.test(high + low)) continue
      const registry = await withSources({ ...others, ...mine })
      assert.equal(resolved(registry).timeoutMs, timeoutMs, `${high} over ${low}`)
      pairs++
    }
  }
  assert.equal(pairs, 62)
})

test('groups are merged option by option, and one source counts as a whole for older names and files', async (context) => {
  const config = { endpoint, retry: { maxAttempts: 3, baseMs: 5 }, compression: 'none', breaker: false } as const
  const env = {
    BLOBWIRE_RETRY__MAX_ATTEMPTS: '4',
    BLOBWIRE_GZIP: 'true',
    BLOBWIRE_CONNECT_TIMEOUT_MS: '9s',
    BLOBWIRE_TOKEN: 'env',
    BLOBWIRE_BREAKER__FAILURES: '7'
  }
  const token = await fileOf(context, 'file\n', 'token')
  const file = { defaults: { tokenFile: token, connection: { connectTimeoutMs: 1 } }, clients: { main: config } }
  const {
    retry,
    compression,
    connection,
    token: used,
    breaker
  } = resolved(createClientRegistry(await loadConfig(file, { env })))
  assert.deepEqual([retry.maxAttempts, retry.baseMs, retry.maxMs], [4, 5, 20_000])
  assert.deepEqual([compression, connection.connectTimeoutMs, used], ['auto', 9000, 'env'])
  assert.equal(breaker ? breaker.failures : 0, 7)

  const over = createClientRegistry({ clients: { main: { endpoint, tokenFile: token } } }, { env })
  const source = resolved(over).token
  assert.ok(typeof source === 'function')
  assert.equal(await source(), 'file')
  const again = createClientRegistry(await loadConfig(file, { env }), { defaults: { tokenFile: token } })
  assert.equal(typeof resolved(again).token, 'function', 'the highest source counts, whichever of the two it has')
  await writeFile(token, 'renewed\n')
  assert.equal(await source(), 'renewed', 'a token is read anew')
})

test('every option has a variable, with its value in words', () => {
  const env = {
    BLOBWIRE_ENDPOINT: 'http://a:1, http://b:2',
    BLOBWIRE_HEADERS: 'x-team=docs,x-b=1=2',
    BLOBWIRE_MAX_RESPONSE_BYTES: '2MiB',
    BLOBWIRE_VERIFY: 'false',
    BLOBWIRE_RETRY: 'false',
    BLOBWIRE_HEDGE__DELAY_MS: '20',
    BLOBWIRE_CONNECTION__PROXY: 'http://me:pw@proxy:3128',
    BLOBWIRE_TLS__CA: '-----BEGIN CERTIFICATE-----\\nx',
    BLOBWIRE_CLIENT_USER_STORAGE__TRANSPORT: 'json',
    BLOBWIRE_BATCH__MAX_BYTES: '',
    // Others' variables: of the server, of tests, and of Kubernetes for services named blobwire and blobwire-client-a.
    BLOBWIRE_SERVER_TOKENS: 'x',
    BLOBWIRE_SEED: '1',
    BLOBWIRE_PORT: 'tcp://10.0.0.1:80',
    BLOBWIRE_PORT_80_TCP_ADDR: '10.0.0.1',
    BLOBWIRE_SERVICE_PORT_HTTP: '80',
    BLOBWIRE_CLIENT_A_SERVICE_HOST: '10.0.0.1'
  }
  const registry = createClientRegistry({ clients: { userStorage: {}, other: {} } }, { env })
  const options = resolved(registry, 'userStorage')
  assert.deepEqual([...options.endpoints.keys()], ['http://a:1', 'http://b:2'])
  assert.deepEqual(options.headers, { 'x-team': 'docs', 'x-b': '1=2' })
  assert.deepEqual([options.maxResponseBytes, options.verify, options.retry.maxAttempts], [2 ** 21, false, 1])
  assert.deepEqual([options.hedge, options.connection.proxy], [{ delayMs: 20 }, env.BLOBWIRE_CONNECTION__PROXY])
  assert.equal(options.tls.ca, '-----BEGIN CERTIFICATE-----\nx')
  assert.deepEqual([options.transports, resolved(registry, 'other').transports.length], [['json'], 2])

  const alone = createClientRegistry({}, { env })
  assert.deepEqual(alone.names, ['user-storage'], 'without a configuration, the variables make the clients')

  const names = Object.keys(configGroups.environment.rows).map((name) => variableOf([name]))
  assert.ok(names.includes('BLOBWIRE_TOKEN_FILE') && names.includes('BLOBWIRE_ATTEMPT_TIMEOUT_MS'))
  assert.ok(!names.includes('BLOBWIRE_INTERCEPTORS'))
})

test('aliases and merge keys of YAML are read', async (context) => {
  const text = `
defaults: &all { endpoint: '${endpoint}', connection: { maxConnections: 3 } }
clients:
  main: { <<: *all, timeoutMs: 3s }
  other: { connection: &few { maxConnections: 2 } }
  third: { connection: *few }
`
  const registry = createClientRegistry(await loadConfig(await fileOf(context, text), { env: {} }), { env: {} })
  const [main, third] = [resolved(registry), resolved(registry, 'third')]
  assert.deepEqual([main.timeoutMs, main.connection.maxConnections, third.connection.maxConnections], [3000, 3, 2])
})

test('JSON is read as YAML is, and files beside it are found', async (context) => {
  const json = `{\n\t"$schema": "./blobwire.schema.json",\n\t"defaults": { "endpoint": "http:\\/\\/localhost:4100", "tokenFile": "secret" },\n\t"clients": { "main": {} }\n}`
  const path = await fileOf(context, json, 'blobwire.json')
  await writeFile(path.replace('blobwire.json', 'secret'), 'abc')
  const config = await loadConfig<'main'>(new URL(`file://${path}`), { env: {} })
  assert.deepEqual(config.names, ['main'])
  assert.doesNotMatch(inspect(config, { depth: 9, showHidden: true }), /localhost/)
  const { token, endpoints } = resolved(createClientRegistry(config))
  assert.deepEqual([...endpoints.keys()], ['http://localhost:4100'])
  assert.ok(typeof token === 'function')
  assert.equal(await token(), 'abc')
})

test('profiles and environments are options that the checks take', () => {
  for (const profile of Object.keys(profiles) as (keyof typeof profiles)[]) {
    for (const environment of Object.keys(environments) as (keyof typeof environments)[]) {
      const registry = createClientRegistry({ environment, clients: { main: { endpoint, profile } } }, { env: {} })
      assert.equal(registry.environment, environment)
      const { connection, batch } = resolved(registry)
      const { maxConnections, maxStreamsPerConnection } = connection
      const requests = { webhook: 20, storage: 100, api: 50, monitoring: 10 }[profile]
      assert.deepEqual(
        [maxConnections * maxStreamsPerConnection, batch ? batch.framesInFlight : 0],
        [requests, requests]
      )
    }
  }
})
