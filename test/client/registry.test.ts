/** Clients by their names: one of each, apart from each other, closed together. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import {
  type BlobwireError,
  createClientRegistry,
  defaultClient,
  type Interceptor,
  type RegistryConfig
} from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'

const endpoint = 'http://127.0.0.1:4100'

test('everybody gets the same client of a name, and no client shares connections with another', async (context) => {
  const { server } = atEnd(context, await testServer())
  const registry = atEnd(
    context,
    createClientRegistry({ defaults: { endpoint: server.http }, clients: { storage: {}, api: {} } }, { env: {} })
  )
  assert.deepEqual(registry.stats().clients, {}, 'no client before its first use')
  const asked = await Promise.all(Array.from({ length: 50 }, async () => registry.client('storage')))
  assert.equal(new Set(asked).size, 1)
  const { storage, api } = { storage: registry.client('storage'), api: registry.client('api') }
  await storage.createRepository('demo')
  await Promise.all([storage.storeBlob('demo', 'a'), api.storeBlob('demo', 'b'), api.storeBlob('demo', 'c')])
  const { clients, totals } = registry.stats()
  assert.ok((clients.storage?.connections.opened ?? 0) > 0 && (clients.api?.connections.opened ?? 0) > 0)
  assert.deepEqual([totals.calls, clients.storage?.calls, clients.api?.calls], [4, 2, 2])
})

test('a client that fails does not spoil the others', async (context) => {
  const { server } = atEnd(context, await testServer())
  const bad = { cert: '-----BEGIN CERTIFICATE-----', key: '-----BEGIN PRIVATE KEY-----' }
  const clients = {
    good: { endpoint: server.http },
    unreachable: { endpoint: 'http://127.0.0.1:1', retry: false },
    unreadable: { endpoint: 'https://127.0.0.1:1', tls: bad }
  } as const
  const registry = atEnd(context, createClientRegistry({ clients }, { env: {} }))
  for (let round = 0; round < 2; round++) {
    assert.throws(() => registry.client('unreadable'), /^BlobwireError: tls: ca, cert or key is invalid/)
    await assert.rejects(registry.client('unreachable').getCapabilities(), { code: 'unavailable' })
    await registry.client('good').getCapabilities()
  }
  assert.deepEqual(Object.keys(registry.stats().clients), ['unreachable', 'good'])
  assert.equal(registry.health().status, 'healthy')
  const breaking = registry.client('unreachable')
  for (let call = 0; call < 5; call++) await assert.rejects(breaking.getCapabilities())
  const { status, causes, clients: health } = registry.health()
  assert.deepEqual([status, health.good?.status, health.unreachable?.status], ['unhealthy', 'healthy', 'unhealthy'])
  assert.match(causes.join(), /^unreachable: /)
})

test('close closes all clients, and refuses those that are asked for later', async (context) => {
  const { server } = atEnd(context, await testServer())
  const registry = createClientRegistry(
    { defaults: { endpoint: server.http }, clients: { a: {}, b: {}, c: {} } },
    { env: {} }
  )
  const [a, b] = [registry.client('a'), registry.client('b')]
  await Promise.all([a.getCapabilities(), b.getCapabilities()])
  await Promise.all([registry.close(), registry.close()])
  const closed = { code: 'cancelled', reason: 'client_closed' }
  for (const client of [a, b]) {
    await assert.rejects(client.listRepositories(), closed)
    assert.equal(client.stats().connections.open, 0)
  }
  for (const name of ['a', 'c'] as const) assert.throws(() => registry.client(name), closed)
})

test('names are checked, by TypeScript too where the configuration is in the code', () => {
  const registry = createClientRegistry({ clients: { storage: { endpoint }, api: { endpoint } } }, { env: {} })
  // @ts-expect-error a name that is misspelled
  const misspelled = () => registry.client('storgae')
  assert.throws(misspelled, (error: BlobwireError) => {
    assert.match(
      error.message,
      /^client: unknown client "storgae"; did you mean storage\? expected one of storage, api$/
    )
    return error.code === 'invalid_argument'
  })
  // @ts-expect-error an option that is misspelled
  const option: RegistryConfig = { clients: { a: { endpoint, timeoutMS: 5 } } }
  assert.throws(() => createClientRegistry(option, { env: {} }), /did you mean timeoutMs/)
  // @ts-expect-error an option of a group that is misspelled
  const inGroup: RegistryConfig = { clients: { a: { endpoint, retry: { maxAttempt: 5 } } } }
  assert.throws(() => createClientRegistry(inGroup, { env: {} }), /maxAttempts/)
  // @ts-expect-error no duration
  const units: RegistryConfig = { defaults: { timeoutMs: '30 sec' } }
  assert.throws(() => createClientRegistry(units, { env: {} }), /did you mean 30s/)
  // @ts-expect-error a client that the configuration does not have
  createClientRegistry({ clients: { a: { endpoint } } }, { env: {}, clients: { b: { endpoint } } })
})

test('what code says of all clients reaches each, and secrets do not show', async (context) => {
  const { server } = atEnd(context, await testServer())
  const seen: string[] = []
  const noted: Interceptor = (call, next) => {
    seen.push(call.method)
    return next(call)
  }
  const registry = atEnd(
    context,
    createClientRegistry(
      { defaults: { endpoint: server.http }, clients: { a: {}, b: {} } },
      {
        env: {},
        defaults: {
          token: () => 'tok-5f3a9',
          interceptors: [noted]
        }
      }
    )
  )
  await Promise.all([registry.client('a').listRepositories(), registry.client('b').listRepositories()])
  assert.deepEqual(seen, ['listRepositories', 'listRepositories'])
  const secret = createClientRegistry({ defaults: { endpoint }, clients: { a: { token: 'tok-5f3a9' } } }, { env: {} })
  secret.client('a')
  assert.doesNotMatch(inspect(secret, { depth: 20, showHidden: true }), /5f3a9/)
  await secret.close()
})

test('the default client is of the environment of the process', async (context) => {
  const { server } = atEnd(context, await testServer())
  assert.throws(() => defaultClient(), /clients\.default\.endpoint: is required: .*BLOBWIRE_ENDPOINT/)
  process.env['BLOBWIRE_ENDPOINT'] = server.http
  const client = defaultClient()
  // Other tests may run in this process.
  delete process.env['BLOBWIRE_ENDPOINT']
  context.after(() => client.close())
  assert.equal(defaultClient(), client)
  assert.equal((await client.createRepository('demo')).created, true)
})
