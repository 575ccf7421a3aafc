/** What counts as a timeout in `stats()`: a call that ends at its deadline, and an attempt at its own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '../../src/index.ts'
import { startPeer } from '../support/http2-peer.ts'
import { pipelineHarness, settled } from '../support/pipeline-harness.ts'

test('calls that end at their deadline are counted, those that are aborted are not', async (context) => {
  const silent = await startPeer(context, () => undefined)
  const client = createClient({ endpoint: silent.url, transport: 'msgpack' })
  context.after(() => client.close())
  const late = [client.storeBlob('demo', 'a', { timeoutMs: 30 }), client.createRepository('demo', { timeoutMs: 30 })]
  const controller = new AbortController()
  const aborted = client.storeBlob('demo', 'b', { signal: controller.signal })
  for (const call of late) await assert.rejects(call, { code: 'deadline_exceeded' })
  controller.abort()
  await assert.rejects(aborted, { code: 'cancelled' })
  const { timeouts, failures } = client.stats()
  assert.deepEqual({ timeouts, failures }, { timeouts: 2, failures: 3 })
})

test('a call counts once, whether its deadline comes in an attempt or while it waits for its turn', async () => {
  const { read, clock, counters, arrivals } = pipelineHarness({ concurrency: { maxCalls: 1, maxQueued: 1 } })
  const running = assert.rejects(read({ timeoutMs: 1000 }), { code: 'deadline_exceeded', attempts: 1 })
  const waiting = assert.rejects(read({ timeoutMs: 500 }), { code: 'deadline_exceeded', attempts: 0 })
  await settled()
  clock.advance(500)
  await waiting
  assert.equal(counters.timeouts, 1)
  clock.advance(500)
  await running
  assert.deepEqual([counters.timeouts, counters.failures, arrivals.length], [2, 2, 1])
})

test('attempts that end at their own time are counted, and the call that ends with the last is not counted again', async () => {
  const { read, clock, counters } = pipelineHarness({ attemptTimeoutMs: 1000 })
  const end = assert.rejects(read(), { code: 'deadline_exceeded', reason: 'attempt_timeout', attempts: 3 })
  for (let step = 0; step < 40; step++) {
    clock.advance(100)
    await settled()
  }
  await end
  assert.deepEqual([counters.timeouts, counters.failures], [3, 1])
})

test('an endpoint may have its own time for an attempt', async () => {
  const endpointOptions = new Map<string, { weight: number; attemptTimeoutMs: number | undefined }>()
  endpointOptions.set('a', { weight: 1, attemptTimeoutMs: 100 }).set('b', { weight: 1, attemptTimeoutMs: undefined })
  const { read, clock, arrivals } = pipelineHarness({ endpoints: ['a', 'b'], endpointOptions, random: () => 0.9 })
  const call = read()
  await settled()
  assert.equal(arrivals[0]?.endpoint, 'a')
  clock.advance(100)
  await settled()
  assert.equal(arrivals[1]?.endpoint, 'b')
  clock.advance(20_000)
  arrivals[1]?.answer({ late: true })
  assert.deepEqual(await call, { late: true })
})
