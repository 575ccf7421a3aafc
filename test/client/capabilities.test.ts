/** Many may wait for one answer of GetCapabilities; each has its own deadline and its own signal all the same. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import type { Client } from '../../src/index.ts'
import { failureOf } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'
import { settlesWithin } from '../support/until.ts'

async function slowServer(context: TestContext, ms: number): Promise<Client> {
  const faults = new Faults()
  const client = atEnd(context, await testServer({ faults })).client()
  await client.createRepository('demo')
  faults.add({ rpc: 'GetCapabilities', count: 1, fault: { kind: 'delay', ms } })
  return client
}

/** More than fits one request, so that the limits are asked for. */
const large = {
  branch: 'main',
  changes: Object.fromEntries([1, 2, 3, 4, 5].map((path) => [path, randomBytes(900_000)])),
  message: 'm\n',
  author: { name: 'Ada', email: 'ada@example.org' }
}

test('a call that waits for the answer to another call has its own deadline', async (context) => {
  const client = await slowServer(context, 800)
  const first = client.warmUp()
  const { error } = await failureOf(settlesWithin(client.getCapabilities({ timeoutMs: 100 }), 350))
  assert.equal(error.code, 'deadline_exceeded')
  await first
})

test('a call that waits for the answer to another call has its own signal', async (context) => {
  const client = await slowServer(context, 800)
  const first = client.warmUp()
  const call = client.commitFiles('demo', large, { signal: AbortSignal.timeout(100) })
  const { error } = await failureOf(settlesWithin(call, 350))
  assert.equal(error.code, 'deadline_exceeded')
  await first
})

test('an abort of the first call does not end the calls that wait for its answer', async (context) => {
  const client = await slowServer(context, 200)
  const controller = new AbortController()
  const first = failureOf(client.getCapabilities({ signal: controller.signal }))
  const second = client.commitFiles('demo', large)
  controller.abort()
  assert.equal((await first).error.code, 'cancelled')
  assert.equal((await second).oid.length, 40)
})

test('the deadline of the first call does not end the calls that wait for its answer', async (context) => {
  const client = await slowServer(context, 300)
  const first = failureOf(client.getCapabilities({ timeoutMs: 100 }))
  const second = client.getCapabilities()
  assert.equal((await first).error.code, 'deadline_exceeded')
  assert.ok((await second).limits)
  assert.equal(client.stats().running, 0)
})
