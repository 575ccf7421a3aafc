/** An endpoint that keeps failing is left alone, and let back by exactly one probe. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CircuitBreaker } from '../../src/balance/circuit-breaker.ts'
import type { Outcome } from '../../src/balance/outcome.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { defaultBreaker, down, pipelineHarness, settled } from '../support/pipeline-harness.ts'

const options = { ...defaultBreaker, waitMs: 0 }
const newBreaker = () => {
  const clock = new FakeClock()
  return { clock, breaker: new CircuitBreaker(clock, options, () => 0) }
}
type Bench = ReturnType<typeof newBreaker>

/** One attempt from its beginning to its end. */
function attempt({ clock, breaker }: Bench, outcome: Outcome): boolean {
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

test('after half a second exactly one of 200 calls is the probe; its success closes the breaker', () => {
  const bench = opened()
  const { breaker, clock } = bench
  clock.advance(490)
  assert.equal(breaker.tryAcquire(), undefined)
  clock.advance(20)
  const passes = Array.from({ length: 200 }, () => breaker.tryAcquire()).filter((permit) => permit !== undefined)
  assert.equal(passes.length, 1)
  assert.equal(breaker.state, 'half_open')
  breaker.record(passes[0] as number, 'success', clock.now())
  assert.equal(breaker.state, 'closed')
  assert.equal(attempt(bench, 'success'), true)
})

/** How long the breaker is open; then a probe ends as it is told. */
function openFor(bench: Bench, outcome: Outcome): number {
  const { waitMs } = bench.breaker
  bench.clock.advance(waitMs - 1)
  assert.equal(bench.breaker.tryAcquire(), undefined, 'not before')
  bench.clock.advance(1)
  assert.equal(attempt(bench, outcome), true)
  return waitMs
}

test('each failed probe doubles the time, up to 60 s; a success begins anew with half a second', () => {
  const { clock, breaker } = newBreaker()
  const bench = { clock, breaker }
  for (let count = 0; count < 5; count++) {
    bench.clock.advance(1)
    breaker.record(breaker.tryAcquire() as number, 'failure', clock.now())
  }
  const times = Array.from({ length: 9 }, () => {
    const { waitMs } = breaker
    clock.advance(waitMs)
    breaker.record(breaker.tryAcquire() as number, 'failure', clock.now())
    return waitMs
  })
  assert.deepEqual(times, [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
  openFor(bench, 'success')
  assert.equal(breaker.state, 'closed')
  for (let count = 0; count < 5; count++) attempt(bench, 'failure')
  clock.advance(1)
  assert.equal(breaker.waitMs, 499, 'a millisecond after the fifth failure')
})

test('the time is up to a fifth shorter, so that clients do not probe together, and never longer than openMs', () => {
  const times = [0, 0.5, 0.999].map((random) => {
    const clock = new FakeClock()
    const breaker = new CircuitBreaker(clock, { ...options, failures: 1 }, () => random)
    breaker.record(breaker.tryAcquire() as number, 'failure', clock.now())
    return Math.round(breaker.waitMs)
  })
  assert.deepEqual(times, [500, 450, 400])
})

test('an endpoint that takes connections again gets the probe at once, one probe', () => {
  const bench = opened()
  const { breaker } = bench
  breaker.reached()
  const probe = breaker.tryAcquire()
  assert.notEqual(probe, undefined)
  breaker.reached()
  assert.equal(breaker.tryAcquire(), undefined)
  breaker.record(probe as number, 'failure', bench.clock.now())
  assert.equal(attempt(bench, 'success'), false, 'open again')
  assert.equal(breaker.waitMs, 999, 'for twice the time, of which a millisecond has passed')
})

test('an aborted probe does not count: the next call is the probe', () => {
  const bench = opened()
  bench.clock.advance(500)
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
  clock.advance(0.25)
  await assert.rejects(write(), (error: BlobwireError) => {
    assert.deepEqual(
      [error.code, error.reason, error.sent, error.attempts],
      ['unavailable', 'circuit_open', 'never', 0]
    )
    const waitMs = error.details.retryAfterMs ?? 0
    assert.ok(waitMs > 400 && waitMs <= 500 && Number.isInteger(waitMs), `${waitMs}`)
    assert.ok(error.message.endsWith(` blocks them for ${waitMs} ms`), error.message)
    assert.match(error.message, /down/, 'the last failure is named')
    return true
  })
  clock.advance(500)
  const probe = write({ timeoutMs: 1000 })
  const probed = assert.rejects(probe, { code: 'deadline_exceeded' })
  await settled()
  const underProbe = { reason: 'circuit_open', message: /; the circuit breaker blocks them until a probe passes$/ }
  await assert.rejects(write(), { ...underProbe, details: { retryAfterMs: 0 } })
  clock.advance(1000)
  await probed
  assert.equal(pipeline.channels()[0]?.breaker?.state, 'open')
  await assert.rejects(write(), { reason: 'circuit_open' })
  clock.advance(1000)
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
