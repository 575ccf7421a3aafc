/** Readiness: the store, its disk, the memory budget and draining; HTTP and gRPC tell the same. */
import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as grpc from '@grpc/grpc-js'
import { service as healthService } from 'grpc-health-check'
import { Health } from '../../server-fixture/health/health.ts'
import type { ServerOptions } from '../../server-fixture/server.ts'
import type { DiskSpace, StoreVitals } from '../../server-fixture/store/vitals.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const minFreeBytes = 1000

/** Health on a clock, a store and a budget of the test. */
function healthOf() {
  const clock = new FakeClock()
  const memory = { heldBytes: 0, maxBytes: 1000 }
  const store = {
    checks: 0,
    check: async (): Promise<void> => undefined,
    disk: async () => store.space,
    space: { freeBytes: minFreeBytes, totalBytes: 5000 } as DiskSpace | undefined
  }
  const vitals: StoreVitals = {
    steps: {},
    uploads: () => ({ uploads: 0, heldBytes: 0, maxBytes: 0 }),
    check() {
      store.checks++
      return store.check()
    },
    diskSpace: () => store.disk()
  }
  const health = new Health({ vitals }, memory, { minFreeBytes, clock })
  /** The checks that fail, a second later. */
  const failing = async () => {
    clock.advance(1000)
    const { ready, checks } = await health.look()
    const failed = Object.entries(checks).filter(([, { ok }]) => !ok)
    assert.deepEqual([ready, health.isReady], [failed.length === 0, failed.length === 0])
    return failed.map(([name, { detail }]) => `${name}: ${detail}`)
  }
  return { clock, memory, store, health, failing }
}

test('a store that fails or does not answer, and a disk that is full, are not ready; errors name no files', async () => {
  const { clock, store, health, failing } = healthOf()
  const seen: boolean[] = []
  health.onChange((isReady) => seen.push(isReady))
  assert.deepEqual(await failing(), [])
  store.check = () => Promise.reject(Object.assign(new Error('/secret/path'), { code: 'EROFS' }))
  assert.deepEqual(await failing(), ['store: EROFS'])
  store.check = async () => undefined
  store.space = { freeBytes: minFreeBytes - 1, totalBytes: 5000 }
  assert.deepEqual(await failing(), ['disk: 999 bytes free, 1000 required'])
  store.space = undefined
  assert.deepEqual(await failing(), [])
  store.check = () => new Promise(() => undefined)
  const hanging = failing()
  await turn()
  clock.advance(5000)
  assert.deepEqual(await hanging, ['store: no answer within 5000 ms'])
  assert.deepEqual(seen, [false, true, false])
})

test('however many ask, the store is looked at once a second', async () => {
  const { clock, store, health } = healthOf()
  await Promise.all(Array.from({ length: 20 }, () => health.look()))
  assert.equal(store.checks, 1)
  clock.advance(999)
  await health.look()
  assert.equal(store.checks, 1)
  clock.advance(1)
  await health.look()
  assert.equal(store.checks, 2)
})

test('a store that is slow is looked at once at a time; a disk that hangs is told', async () => {
  const { clock, store, health } = healthOf()
  const slow = Promise.withResolvers<void>()
  store.check = () => slow.promise
  const first = health.look()
  await turn()
  clock.advance(3000)
  const second = health.look()
  slow.resolve()
  assert.deepEqual([(await first).ready, (await second).ready, store.checks], [true, true, 1])
  const hanging = Promise.withResolvers<DiskSpace | undefined>()
  store.disk = () => hanging.promise
  const third = health.look()
  await turn()
  clock.advance(5000)
  const { ready, checks } = await third
  assert.deepEqual([ready, checks.store.ok, checks.disk.detail], [false, true, 'no answer within 5000 ms'])
  clock.advance(5000)
  assert.deepEqual([(await health.look()).ready, store.checks], [false, 2])
  hanging.resolve(undefined)
  await turn()
  clock.advance(1000)
  store.disk = async () => store.space
  assert.deepEqual([(await health.look()).ready, store.checks], [true, 3])
})

test('a memory budget that is full for a moment changes nothing; one that stays full is not ready', async () => {
  const { clock, memory, failing } = healthOf()
  memory.heldBytes = 950
  for (let second = 0; second < 10; second++) assert.deepEqual(await failing(), [], String(second))
  assert.deepEqual(await failing(), ['memory: 950 of 1000 bytes held'])
  memory.heldBytes = 949
  assert.deepEqual(await failing(), [])
  memory.heldBytes = 1000
  assert.deepEqual(await failing(), [])
  clock.advance(9000)
  assert.deepEqual(await failing(), ['memory: 1000 of 1000 bytes held'])
})

test('a server that drains is not ready, for good', async () => {
  const { health, failing } = healthOf()
  health.drain()
  assert.deepEqual([health.isReady, await failing()], [false, ['draining: the server takes no more work']])
})

async function watched(context: TestContext, options: Partial<ServerOptions>) {
  const fixture = atEnd(context, await testServer({ adminPort: 0, ...options }))
  const { http, admin, grpc: grpcUrl } = fixture.server
  const HealthClient = grpc.makeClientConstructor(healthService as grpc.ServiceDefinition, 'grpc.health.v1.Health')
  const client = new HealthClient(new URL(grpcUrl).host, grpc.credentials.createInsecure())
  context.after(() => client.close())
  const seen: string[] = []
  const watch = (client as unknown as { Watch(request: object): grpc.ClientReadableStream<{ status: string }> }).Watch(
    {}
  )
  watch.on('data', ({ status }) => seen.push(status)).on('error', () => undefined)
  await until(() => seen.length === 1, 'the first status of gRPC')
  const statusesOf = async (url: string) =>
    Promise.all(['/health/live', '/health/ready', '/healthz'].map(async (path) => (await fetch(url + path)).status))
  return { fixture, http, admin: admin as string, seen, statusesOf }
}

test('without its data directory a server is not ready, over HTTP and gRPC alike, and ready again with it', async (context) => {
  const { fixture, http, seen, statusesOf } = await watched(context, { store: 'git', minFreeBytes: 1 })
  assert.deepEqual(await statusesOf(http), [200, 200, 200])
  await rename(fixture.data, `${fixture.data}.gone`)
  const statuses: number[] = []
  // A look is good for a second.
  while ((await statusesOf(http)).join() !== '200,503,503') statuses.push(1)
  await until(() => seen.length === 2, 'the status of gRPC')
  await rename(`${fixture.data}.gone`, fixture.data)
  while ((await statusesOf(http)).join() !== '200,200,200') statuses.push(1)
  await until(() => seen.length === 3, 'the status of gRPC')
  assert.deepEqual(seen, ['SERVING', 'NOT_SERVING', 'SERVING'])
})

test('while a server drains, the admin port and gRPC say that it is not ready, and accepted calls are answered', async (context) => {
  const called = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  context.after(() => go.resolve())
  const decorate: ServerOptions['decorate'] = (service) =>
    Object.assign(Object.create(service), {
      async call(...call: Parameters<typeof service.call>) {
        called.resolve()
        await go.promise
        return service.call(...call)
      }
    })
  const { fixture, http, admin, seen, statusesOf } = await watched(context, { decorate })
  const body = JSON.stringify({ repository: 'demo' })
  const headers = { 'content-type': 'application/json' }
  const answer = fetch(`${http}/blobwire.v1.VcsService/CreateRepository`, { method: 'POST', headers, body })
  await called.promise
  const closed = fixture.server.close()
  assert.deepEqual(await statusesOf(admin), [200, 503, 503])
  await until(() => seen.length === 2, 'the status of gRPC')
  assert.deepEqual(seen, ['SERVING', 'NOT_SERVING'])
  const { draining } = fixture.server.metrics.snapshot()
  assert.equal(draining, 1)
  go.resolve()
  assert.equal((await answer).status, 200)
  await closed
  await assert.rejects(fetch(`${admin}/health/live`))
})
