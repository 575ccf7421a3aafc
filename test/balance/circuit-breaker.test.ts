/** An endpoint that keeps failing is left alone, and let back by exactly one probe. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CircuitBreaker } from '../../src/balance/circuit-breaker.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { down, pipelineHarness, settled } from '../support/pipeline-harness.ts'

const options = { failures: 5, ratio: 0.5, minimumAttempts: 20, windowMs: 10_000, openMs: 60_000 }
const newBreaker = () => {
  const clock = new FakeClock()
  return { clock, breaker: new CircuitBreaker(clock, options) }
}
type Bench = ReturnType<typeof newBreaker>

/** One attempt from its beginning to its end. */
function attempt({ clock, breaker }: Bench, outcome: 'success' | 'failure' | 'none'): boolean {
  const permit = breaker.tryAcquire()
  const beganAt = clock.now()
  clock.advance(1)
  if (permit === undefined) return false
  breaker.record(permit, outcome, beganAt)
  return true
}

function opened(): Bench {
  const bench = newBreaker()
  for (let count = 0; count < 5; count++) attempt(bench, 'failure')
  assert.equal(bench.breaker.state, 'open')
  return bench
}

test('five failures in a row open the breaker; a success between them resets the count', () => {
  const bench = newBreaker()
  for (let count = 0; count < 4; count++) attempt(bench, 'failure')
  attempt(bench, 'success')
  for (let count = 0; count < 4; count++) attempt(bench, 'failure')
  assert.equal(bench.breaker.state, 'closed')
  attempt(bench, 'failure')
  assert.equal(bench.breaker.state, 'open')
  assert.equal(attempt(bench, 'success'), false)
  assert.equal(bench.breaker.openings, 1)
})

test('256 attempts that fail together are one failure', () => {
  const { breaker, clock } = newBreaker()
  const beganAt = clock.now()
  const permits = Array.from({ length: 256 }, () => breaker.tryAcquire() as number)
  clock.advance(5)
  for (const permit of permits) breaker.record(permit, 'failure', beganAt)
  assert.equal(breaker.state, 'closed')
})

test('half of at least twenty attempts failing opens the breaker; one accident does not', () => {
  const bench = newBreaker()
  for (let count = 0; count < 9; count++) {
    attempt(bench, 'success')
    attempt(bench, 'failure')
  }
  assert.equal(bench.breaker.state, 'closed', '18 attempts')
  attempt(bench, 'success')
  attempt(bench, 'failure')
  assert.equal(bench.breaker.state, 'open')
})

test('failures that lie further back than the window do not count', () => {
  const bench = newBreaker()
  for (let count = 0; count < 9; count++) {
    attempt(bench, 'success')
    attempt(bench, 'failure')
  }
  bench.clock.advance(10_000)
  attempt(bench, 'success')
  attempt(bench, 'failure')
  assert.equal(bench.breaker.state, 'closed')
})

test('aborted and locally refused attempts do not count', () => {
  const bench = newBreaker()
  for (let count = 0; count < 100; count++) attempt(bench, 'none')
  assert.equal(bench.breaker.state, 'closed')
})

test('after 60 s exactly one of 200 calls is the probe; its success closes the breaker', () => {
  const bench = opened()
  const { breaker, clock } = bench
  clock.advance(59_990)
  assert.equal(breaker.tryAcquire(), undefined)
  clock.advance(20)
  const passes = Array.from({ length: 200 }, () => breaker.tryAcquire()).filter((permit) => permit !== undefined)
  assert.equal(passes.length, 1)
  assert.equal(breaker.state, 'half_open')
  breaker.record(passes[0] as number, 'success', clock.now())
  assert.equal(breaker.state, 'closed')
  assert.equal(attempt(bench, 'success'), true)
})

test('a failed probe opens the breaker for another 60 s', () => {
  const bench = opened()
  bench.clock.advance(60_000)
  assert.equal(attempt(bench, 'failure'), true)
  assert.equal(attempt(bench, 'success'), false)
  bench.clock.advance(59_000)
  assert.equal(attempt(bench, 'success'), false)
  bench.clock.advance(1000)
  assert.equal(attempt(bench, 'success'), true)
  assert.equal(bench.breaker.state, 'closed')
})

test('an aborted probe does not count: the next call is the probe', () => {
  const bench = opened()
  bench.clock.advance(60_000)
  attempt(bench, 'none')
  assert.equal(attempt(bench, 'success'), true)
  assert.equal(bench.breaker.state, 'closed')
})

test('results of attempts from before the breaker opened do not count', () => {
  const { breaker, clock } = newBreaker()
  const late = Array.from({ length: 10 }, () => breaker.tryAcquire())
  const beganAt = clock.now()
  const bench = { breaker, clock }
  for (let count = 0; count < 5; count++) attempt(bench, 'failure')
  breaker.record(late[0] as number, 'success', beganAt)
  assert.equal(breaker.state, 'open')
  clock.advance(60_000)
  const probe = breaker.tryAcquire()
  breaker.record(late[1] as number, 'success', beganAt)
  breaker.record(late[2] as number, 'failure', beganAt)
  assert.equal(breaker.state, 'half_open')
  breaker.record(probe as number, 'success', clock.now())
  assert.equal(breaker.state, 'closed')
})

test('an unanswered probe ends with its deadline and does not wedge the breaker', async () => {
  const once = { maxAttempts: 1, baseMs: 0, maxMs: 0, budgetRatio: 1, budgetPerSecond: 10 }
  const { write, clock, arrivals, pipeline } = pipelineHarness({ breaker: options, retry: once })
  for (let count = 0; count < 5; count++) {
    const call = write()
    await settled()
    clock.advance(1)
    arrivals.at(-1)?.fail(down)
    await assert.rejects(call, { reason: '' })
  }
  await assert.rejects(write(), (error: BlobwireError) => {
    assert.deepEqual(
      [error.code, error.reason, error.sent, error.attempts],
      ['unavailable', 'circuit_open', 'never', 0]
    )
    assert.ok((error.details.retryAfterMs ?? 0) > 59_000)
    return true
  })
  clock.advance(60_000)
  const probe = write({ timeoutMs: 1000 })
  const probed = assert.rejects(probe, { code: 'deadline_exceeded' })
  await settled()
  await assert.rejects(write(), { reason: 'circuit_open' })
  clock.advance(1000)
  await probed
  assert.equal(pipeline.channels()[0]?.breaker?.state, 'open')
  clock.advance(60_000)
  const second = write()
  await settled()
  arrivals.at(-1)?.answer()
  await second
  assert.equal(pipeline.channels()[0]?.breaker?.state, 'closed')
  assert.equal(arrivals.length, 7)
})

test('application errors do not open the breaker: not_found, invalid_argument, resource_exhausted', async () => {
  for (const code of ['not_found', 'invalid_argument', 'resource_exhausted', 'failed_precondition'] as const) {
    const { write, pipeline } = pipelineHarness({
      breaker: options,
      respond: (arrival) => arrival.fail({ code, message: 'no' })
    })
    for (let count = 0; count < 30; count++) await assert.rejects(write(), { code })
    assert.equal(pipeline.channels()[0]?.breaker?.state, 'closed')
  }
})

test('aborted calls do not open the breaker', async () => {
  const { write, pipeline } = pipelineHarness({ breaker: options })
  for (let count = 0; count < 30; count++) {
    const controller = new AbortController()
    const call = write({ signal: controller.signal })
    await settled()
    controller.abort()
    await assert.rejects(call, { code: 'cancelled' })
  }
  assert.equal(pipeline.channels()[0]?.breaker?.state, 'closed')
})
