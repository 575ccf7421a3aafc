/** Retries: which calls are sent again, when, and how often. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlobwireError, type BlobwireErrorInit } from '../../src/core/error.ts'
import { mayRetry } from '../../src/core/reasons.ts'
import { backoffMs } from '../../src/retry/policy.ts'
import { down, pipelineHarness, settled } from '../support/pipeline-harness.ts'

test('the first attempt runs straight: one attempt, no timer besides the deadline', async () => {
  const { read, clock, arrivals, counters } = pipelineHarness()
  const call = read()
  await settled()
  assert.equal(clock.pending, 1)
  arrivals[0]?.answer({ ok: true })
  assert.deepEqual(await call, { ok: true })
  assert.deepEqual([counters.attempts, counters.retries], [1, 0])
})

test('unavailable is tried again after a wait drawn from 0 to 100 ms, then to 200 ms, and not a fourth time', async () => {
  const { write, clock, arrivals, counters } = pipelineHarness({ respond: (arrival) => arrival.fail(down) })
  const call = write()
  const end = assert.rejects(call, { code: 'unavailable', attempts: 3, sent: 'maybe', transport: 'msgpack' })
  await settled()
  assert.equal(arrivals.length, 1)
  clock.advance(49)
  await settled()
  assert.equal(arrivals.length, 1, 'half of 100 ms: the dice of the test always say 0.5')
  clock.advance(1)
  await settled()
  assert.equal(arrivals.length, 2)
  clock.advance(100)
  await settled()
  assert.equal(arrivals.length, 3)
  await end
  clock.advance(10_000)
  await settled()
  assert.deepEqual([arrivals.length, counters.attempts, counters.retries, counters.failures], [3, 3, 2, 1])
})

test('a second attempt that is answered is the answer', async () => {
  const { write, clock, arrivals } = pipelineHarness()
  const call = write()
  await settled()
  arrivals[0]?.fail(down)
  await settled()
  clock.advance(50)
  await settled()
  arrivals[1]?.answer({ ok: 2 })
  assert.deepEqual(await call, { ok: 2 })
})

test('full jitter: from 0 to the cap, which doubles up to its own cap; the time the server asks for is added', () => {
  const options = { baseMs: 100, maxMs: 20_000 }
  const caps = [1, 2, 3, 8, 9, 20].map((failures) => backoffMs(failures, options, () => 1))
  assert.deepEqual(caps, [100, 200, 400, 12_800, 20_000, 20_000])
  const steady = [1, 2, 3].map((failures) => backoffMs(failures, { ...options, factor: 1 }, () => 1))
  const steep = [1, 2, 3].map((failures) => backoffMs(failures, { ...options, factor: 10 }, () => 1))
  assert.deepEqual([...steady, ...steep], [100, 100, 100, 100, 1000, 10_000])
  assert.deepEqual(
    [1, 2, 9].map((failures) => backoffMs(failures, { ...options, jitter: false }, () => 0, 5)),
    [105, 205, 20_005],
    'without jitter, the whole wait'
  )
  assert.equal(
    backoffMs(9, options, () => 0),
    0
  )
  assert.equal(
    backoffMs(1, options, () => 0.5, 3000),
    3050
  )
})

test('1,000 calls that failed together come back spread over the whole wait', async () => {
  let state = 7
  const random = () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  const retry = { maxAttempts: 2, baseMs: 100, maxMs: 20_000, budgetRatio: 1, budgetPerSecond: 10 }
  const { write, clock, arrivals } = pipelineHarness({ random, retry, respond: (arrival) => arrival.fail(down) })
  const ends = Promise.allSettled(Array.from({ length: 1000 }, () => write()))
  await settled()
  const began = clock.now()
  for (let ms = 0; ms < 100; ms++) {
    clock.advance(1)
    await settled()
  }
  await ends
  const tenths = new Array<number>(10).fill(0)
  for (const { atMs } of arrivals.slice(1000)) {
    const tenth = Math.min(9, Math.floor((atMs - began) / 10))
    tenths[tenth] = (tenths[tenth] ?? 0) + 1
  }
  assert.equal(arrivals.length, 2000)
  for (const count of tenths) assert.ok(count > 60 && count < 140, `${tenths}`)
})

const kinds: [error: BlobwireErrorInit, isRetried: boolean][] = [
  [down, true],
  [{ code: 'unavailable', message: '', retryable: false, reason: 'tls' }, false],
  [{ code: 'unavailable', message: '', reason: 'circuit_open' }, false],
  [{ code: 'resource_exhausted', message: '' }, false],
  [{ code: 'resource_exhausted', message: '', retryable: true }, true],
  [{ code: 'resource_exhausted', message: '', retryable: true, reason: 'queue_full' }, false],
  [{ code: 'deadline_exceeded', message: '' }, false],
  [{ code: 'deadline_exceeded', message: '', reason: 'attempt_timeout', retryable: true }, true],
  [{ code: 'cancelled', message: '' }, false],
  [{ code: 'aborted', message: '' }, false],
  [{ code: 'aborted', message: '', retryable: true }, true],
  [{ code: 'internal', message: '' }, false],
  [{ code: 'data_loss', message: '', reason: 'integrity' }, false],
  [{ code: 'unauthenticated', message: '' }, false],
  [{ code: 'invalid_argument', message: '' }, false],
  [{ code: 'failed_precondition', message: '' }, false]
]

for (const [error, isRetried] of kinds) {
  const name = [error.code, error.reason, error.retryable === undefined ? '' : `retryable: ${error.retryable}`]
  test(`${name.filter(Boolean).join(', ')} is ${isRetried ? 'sent again' : 'the end'}`, () => {
    assert.equal(mayRetry(new BlobwireError(error)), isRetried)
  })
}

test('Retry-After is waited for', async () => {
  const { write, clock, arrivals } = pipelineHarness()
  const call = write()
  await settled()
  arrivals[0]?.fail({ ...down, details: { retryAfterMs: 2000 } })
  await settled()
  clock.advance(2049)
  await settled()
  assert.equal(arrivals.length, 1)
  clock.advance(1)
  await settled()
  arrivals[1]?.answer()
  await call
})

test('a wait that would pass the deadline is not begun: the last error at once', async () => {
  const { write, clock, arrivals } = pipelineHarness()
  const call = write({ timeoutMs: 5000 })
  await settled()
  arrivals[0]?.fail({ ...down, details: { retryAfterMs: 5000 } })
  await assert.rejects(call, { code: 'unavailable', attempts: 1 })
  assert.equal(clock.now(), 1000, 'no time has passed')
})

test('an abort in the wait settles at once, and no attempt follows', async () => {
  const { write, clock, arrivals } = pipelineHarness()
  const controller = new AbortController()
  const call = write({ signal: controller.signal })
  await settled()
  arrivals[0]?.fail(down)
  await settled()
  controller.abort()
  await assert.rejects(call, { code: 'cancelled', attempts: 1, sent: 'maybe' })
  clock.advance(30_000)
  await settled()
  assert.equal(arrivals.length, 1)
  assert.equal(clock.pending, 0)
})

test('an abort during a later attempt ends that attempt', async () => {
  const { write, clock, arrivals } = pipelineHarness()
  const controller = new AbortController()
  const call = write({ signal: controller.signal })
  await settled()
  arrivals[0]?.fail({ ...down, sent: 'never' })
  await settled()
  clock.advance(50)
  await settled()
  controller.abort()
  await assert.rejects(call, { code: 'cancelled', attempts: 2, sent: 'maybe' })
  assert.equal(arrivals[1]?.call.signal.aborted, true)
})

test('a deadline during backoff, or in a later attempt: the error counts all attempts', async () => {
  const { write, clock, arrivals } = pipelineHarness({ random: () => 0 })
  const call = write({ timeoutMs: 1000 })
  await settled()
  arrivals[0]?.fail(down)
  await settled()
  clock.advance(0)
  await settled()
  assert.equal(arrivals.length, 2)
  clock.advance(1000)
  await assert.rejects(call, { code: 'deadline_exceeded', attempts: 2, sent: 'maybe' })
})

test('with attemptTimeoutMs each attempt has its own time; the next one may still be answered', async () => {
  const { read, clock, arrivals, counters } = pipelineHarness({ attemptTimeoutMs: 1000 })
  const call = read()
  await settled()
  assert.equal(arrivals[0]?.call.remainingMs(), 1000)
  clock.advance(1000)
  await settled()
  assert.equal(arrivals[0]?.call.signal.aborted, true)
  clock.advance(50)
  await settled()
  arrivals[0]?.answer({ late: true })
  await settled()
  arrivals[1]?.answer({ ok: true })
  assert.deepEqual(await call, { ok: true })
  assert.equal(counters.timeouts, 1)
})

test('attempts that all time out: attempt_timeout', async () => {
  const { read, clock } = pipelineHarness({ attemptTimeoutMs: 1000 })
  const call = read()
  const end = assert.rejects(call, { code: 'deadline_exceeded', reason: 'attempt_timeout', attempts: 3 })
  for (let step = 0; step < 40; step++) {
    clock.advance(100)
    await settled()
  }
  await end
})

test('a call that an earlier attempt sent stays sent', async () => {
  const { write, clock, arrivals } = pipelineHarness({ random: () => 0 })
  const call = write()
  const end = assert.rejects(call, { code: 'unavailable', attempts: 3, sent: 'maybe' })
  for (const sent of ['maybe', 'never', 'never'] as const) {
    await settled()
    arrivals.at(-1)?.fail({ ...down, sent })
    await settled()
    clock.advance(1)
  }
  await end
})

test('operations sent again after a session broke count as attempts', async () => {
  const { write, arrivals } = pipelineHarness({ respond: (arrival) => arrival.fail({ ...down, attempts: 3 }) })
  await assert.rejects(write(), { code: 'unavailable', attempts: 3 })
  assert.equal(arrivals.length, 1)
})

test('the options factor and jitter reach the waits', async () => {
  const retry = { factor: 3, jitter: false, maxAttempts: 3 }
  const { write, clock, arrivals } = pipelineHarness({ retry, respond: ({ fail }) => fail(down) })
  const end = assert.rejects(write(), { attempts: 3 })
  for (const [wait, count] of [
    [99, 1],
    [1, 2],
    [299, 2],
    [1, 3]
  ] as const) {
    await settled()
    clock.advance(wait)
    await settled()
    assert.equal(arrivals.length, count)
  }
  await end
})
