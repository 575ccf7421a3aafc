/** Slow reads are asked for a second time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { down, pipelineHarness, settled } from '../support/pipeline-harness.ts'

const hedge = { delayMs: 50 }
const endpoints = ['a', 'b']

test('a read that is answered in time is asked for once, and leaves no timer', async () => {
  const { read, arrivals, clock } = pipelineHarness({ hedge, endpoints })
  const call = read()
  await settled()
  clock.advance(49)
  arrivals[0]?.answer({ ok: true })
  assert.deepEqual(await call, { ok: true })
  clock.advance(30_000)
  await settled()
  assert.deepEqual([arrivals.length, clock.pending], [1, 0])
})

test('a slow read is hedged at another endpoint; the first answer counts, and the other attempt is aborted', async () => {
  const { read, arrivals, clock, counters } = pipelineHarness({ hedge, endpoints })
  const call = read()
  await settled()
  clock.advance(50)
  await settled()
  assert.equal(arrivals.length, 2)
  assert.notEqual(arrivals[0]?.endpoint, arrivals[1]?.endpoint)
  arrivals[1]?.answer({ second: true })
  assert.deepEqual(await call, { second: true })
  assert.equal(arrivals[0]?.call.signal.aborted, true)
  assert.deepEqual([counters.hedges, counters.retries], [1, 0])
})

test('the failure of one hedged attempt does not fail the read', async () => {
  const { read, arrivals, clock } = pipelineHarness({ hedge, endpoints })
  const call = read()
  await settled()
  clock.advance(50)
  await settled()
  arrivals[1]?.fail(down)
  await settled()
  arrivals[0]?.answer({ first: true })
  assert.deepEqual(await call, { first: true })
})

test('both attempts of a hedge failed: retried like any other call, and the error counts all attempts', async () => {
  const { read, clock, arrivals } = pipelineHarness({ hedge, endpoints, random: () => 0 })
  const call = read()
  await settled()
  clock.advance(50)
  await settled()
  arrivals[0]?.fail(down)
  arrivals[1]?.fail({ code: 'not_found', message: 'gone' })
  await assert.rejects(call, { code: 'not_found', attempts: 2, sent: 'maybe' })
})

test('writes are not hedged, and nothing is hedged where the budget is spent', async () => {
  const { write, arrivals, clock } = pipelineHarness({ hedge, endpoints })
  const call = write()
  await settled()
  clock.advance(1000)
  await settled()
  assert.equal(arrivals.length, 1)
  arrivals[0]?.answer()
  await call
  const retry = { maxAttempts: 3, baseMs: 0, maxMs: 0, budgetRatio: 0, budgetPerSecond: 0 }
  const poor = pipelineHarness({ hedge, endpoints, retry })
  const read = poor.read()
  await settled()
  poor.clock.advance(1000)
  await settled()
  assert.equal(poor.arrivals.length, 1)
  poor.arrivals[0]?.answer()
  await read
})

test('an abort ends both', async () => {
  const { read, arrivals, clock } = pipelineHarness({ hedge, endpoints })
  const controller = new AbortController()
  const call = read({ signal: controller.signal })
  await settled()
  clock.advance(50)
  await settled()
  controller.abort()
  await assert.rejects(call, { code: 'cancelled', attempts: 2 })
  assert.deepEqual(
    arrivals.map((arrival) => arrival.call.signal.aborted),
    [true, true]
  )
})
