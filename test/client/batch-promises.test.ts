/** Promises of a batch while parts of it are sent again: order, results, `sent`, and the end of its waits. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { type TestContext, test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import type { ClientOptions, Operation } from '../../src/index.ts'
import { failureOf } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'
import { settlesAtOnce, until } from '../support/until.ts'

const name = 'refs/heads/side'
const oidOfOne = '56a6051ca2b02b04ef92d5150c9ef600403cb1de'
const blobs = (...contents: string[]) => contents.map((content) => ({ storeBlob: { content } }))
const move = (expectedOid: string | null, newOid: string | null): Operation => ({
  updateRefs: { updates: [{ name, expectedOid, newOid }] }
})

async function harness(context: TestContext, options: Partial<ClientOptions> = {}) {
  const faults = new Faults()
  const fixture = atEnd(context, await testServer({ faults, limits: { maxBatchOperations: 4 } }))
  const client = fixture.client({ retry: { baseMs: 1 }, ...options })
  await client.createRepository('demo')
  const author = { name: 'Ada', email: 'ada@example.org' }
  const { oid } = await client.commitFiles('demo', { branch: 'main', changes: { a: 'a' }, message: 'm\n', author })
  const once = (rpc: string, retryAfterMs = 0) =>
    faults.add({ rpc, count: 1, fault: { kind: 'status', code: 'unavailable', retryAfterMs } })
  const side = async () => (await client.listRefs('demo', { prefix: name })).refs.length
  return { faults, fixture, client, oid, once, side }
}

for (const atomic of [false, true]) {
  test(`a retried ref move does not undo a later move (atomic: ${atomic})`, async (context) => {
    const { client, oid, once, side } = await harness(context)
    once('UpdateRefs')
    const results = await client.batch('demo', [move(null, oid), move(oid, null)], { atomic })
    assert.deepEqual(
      results.map(({ error }) => error?.code),
      [undefined, undefined]
    )
    assert.equal(await side(), 0)
  })
}

test('a read sees the operation that was retried before the read', async (context) => {
  const { client, once } = await harness(context)
  once('StoreBlob')
  const [stored, found] = await client.batch('demo', [...blobs('1'), { findMissing: { oids: [oidOfOne] } }])
  assert.deepEqual([stored?.value, found?.value], [{ oid: oidOfOne, size: 1 }, { missing: [] }])
})

test('finished operations are reported where the rest cannot be retried', async (context) => {
  const { client, fixture, once, faults } = await harness(context, { timeoutMs: 5000 })
  once('StoreBlob', 200)
  const batch = client.batch('demo', blobs('1', '2'))
  await until(() => faults.fired('status') === 1, 'the failure')
  await fixture.server.close()
  const [first, second] = await batch
  assert.equal(first?.error?.code, 'unavailable')
  assert.equal(second?.value?.size, 1)
})

test('a batch of which one request was answered is not reported as never sent', async (context) => {
  const { fixture, oid, side } = await harness(context)
  const controller = new AbortController()
  let requests = 0
  const client = fixture.client({
    interceptors: [
      {
        request(request, next) {
          if (request.method === 'batchOperations' && ++requests === 2) controller.abort()
          return next(request)
        }
      }
    ]
  })
  const operations = [move(null, oid), ...blobs('1', '2', '3', '4', '5')]
  await client.warmUp()
  const { error } = await failureOf(client.batch('demo', operations, { signal: controller.signal }))
  assert.deepEqual([error.code, error.sent, error.attempts], ['cancelled', 'processed', 1])
  assert.equal(await side(), 1)
})

test('close() ends a batch that waits to be sent again', async (context) => {
  const { client, once, faults } = await harness(context)
  once('StoreBlob', 20_000)
  const batch = failureOf(client.batch('demo', blobs('1', '2')))
  await until(() => faults.fired('status') === 1, 'the failure')
  await until(() => client.stats().retries === 1, 'the wait')
  const closed = client.close()
  const { error } = await settlesAtOnce(batch)
  assert.deepEqual([error.code, error.reason, error.sent], ['cancelled', 'client_closed', 'processed'])
  await closed
})

test('a signal keeps no listener of a batch that was sent again', async (context) => {
  const { client, once } = await harness(context)
  const { signal } = new AbortController()
  once('StoreBlob')
  await client.batch('demo', blobs('1', '2'), { signal })
  assert.equal(client.stats().retries, 1)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('an operation fails with retry_budget_exhausted', async (context) => {
  const { client, faults } = await harness(context, { retry: { budgetRatio: 0, budgetPerSecond: 0 } })
  faults.add({ rpc: 'StoreBlob', fault: { kind: 'status', code: 'unavailable' } })
  const [result] = await client.batch('demo', blobs('1'))
  assert.deepEqual([result?.error?.code, result?.error?.reason], ['unavailable', 'retry_budget_exhausted'])
})
