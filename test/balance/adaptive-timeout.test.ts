/** The time of an attempt that follows the endpoint's answers, on a fake clock with steps of latency both ways. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdaptiveTimeout } from '../../src/balance/adaptive-timeout.ts'
import { createClient } from '../../src/index.ts'
import { methods } from '../../src/schema/methods.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { type Arrival, pipelineHarness, settled } from '../support/pipeline-harness.ts'

const options = { percentile: 99, factor: 3, leastTimeoutMs: 100, mostTimeoutMs: 30_000, leastCalls: 4 }
const read = { method: methods.getBlob, request: {} }
const newTimeout = () => {
  const clock = new FakeClock()
  const timeout = new AdaptiveTimeout(clock, options)
  /** One attempt at an endpoint that takes so long: its time, or undefined where it was late. */
  const attempt = (tookMs: number, call: { method: object; request: object } = read) => {
    const classed = call as typeof read
    const beganAtMs = clock.now()
    const limitMs = timeout.limitMs(classed)
    clock.advance(Math.min(tookMs, limitMs))
    if (tookMs > limitMs) timeout.late(classed, beganAtMs)
    else timeout.answered(classed, beganAtMs)
    return tookMs <= limitMs
  }
  const attempts = (count: number, tookMs: number, call = read) =>
    Array.from({ length: count }, () => attempt(tookMs, call)).filter((wasInTime) => !wasInTime).length
  return { clock, timeout, attempt, attempts }
}

test('before twenty answers the time is the longest; then it is three times the 99th percentile, within a fifth', () => {
  const { timeout, attempts } = newTimeout()
  attempts(19, 100)
  assert.equal(timeout.limitMs(read), 30_000)
  attempts(1, 100)
  assert.ok(timeout.limitMs(read) >= 300 && timeout.limitMs(read) <= 360, `${timeout.limitMs(read)}`)
  attempts(200, 1)
  attempts(40, 400)
  assert.ok(timeout.limitMs(read) >= 1200 && timeout.limitMs(read) <= 1440, `${timeout.limitMs(read)}`)
})

test('floor and ceiling', () => {
  const { timeout, attempts } = newTimeout()
  attempts(100, 1)
  assert.equal(timeout.limitMs(read), 100)
  attempts(200, 20_000)
  assert.equal(timeout.limitMs(read), 30_000)
})

test('an endpoint that becomes slower is found out in a few attempts, and the time comes down with it again', () => {
  const { timeout, attempts, clock } = newTimeout()
  attempts(1000, 10)
  assert.equal(timeout.limitMs(read), 100)
  const late = attempts(500, 2000)
  assert.ok(late <= 5, `${late} of 500 were late`)
  const slow = timeout.limitMs(read)
  assert.ok(slow >= 4000 && slow <= 7200, `${slow}`)
  // Faster again: what was slow leaves with its windows.
  for (let minute = 0; minute < 3; minute++) {
    attempts(100, 10)
    clock.advance(30_000)
  }
  attempts(100, 10)
  assert.equal(timeout.limitMs(read), 100)
})

test('attempts that were late are no answers: a silence of any length leaves no trace', () => {
  const { timeout, attempts } = newTimeout()
  attempts(1000, 10)
  attempts(50, Number.POSITIVE_INFINITY)
  assert.equal(timeout.limitMs(read), 30_000, 'doubled up to the ceiling while nothing is heard')
  attempts(100, 10)
  assert.equal(timeout.limitMs(read), 100)
})

test('attempts that were under way together and are late together double the time once', () => {
  const { clock, timeout, attempts } = newTimeout()
  attempts(100, 10)
  const beganAtMs = clock.now()
  clock.advance(100)
  for (let count = 0; count < 256; count++) timeout.late(read, beganAtMs)
  assert.equal(timeout.limitMs(read), 200)
})

test('each method, and each size of contents, has a time of its own', () => {
  const { timeout, attempts } = newTimeout()
  const commit = { method: methods.commitFiles, request: { changes: [] } } as unknown as typeof read
  const large = { method: methods.storeBlob, request: { content: { length: 500_000 } } } as unknown as typeof read
  const small = { method: methods.storeBlob, request: { content: { length: 50 } } } as unknown as typeof read
  attempts(100, 2)
  attempts(100, 800, commit)
  attempts(100, 400, large)
  attempts(100, 40, small)
  const hundreds = (call: typeof read) => Math.round(timeout.limitMs(call) / 100)
  const within = (value: number, least: number, most: number) => value >= least && value <= most
  assert.ok(within(hundreds(read), 1, 1) && within(hundreds(small), 1, 2))
  assert.ok(within(hundreds(commit), 24, 29) && within(hundreds(large), 12, 15))
  assert.deepEqual(Object.keys(timeout.limits()), ['GetBlob', 'CommitFiles', 'StoreBlob'])
})

test('a client whose endpoint falls silent for a while tries again in time, and tells its times in stats', async () => {
  const silent = new Set<Arrival>()
  let isSilent = false
  const {
    read: call,
    clock,
    arrivals,
    counters,
    pipeline
  } = pipelineHarness({
    attemptTimeoutMs: 'adaptive',
    adaptive: options,
    respond(arrival) {
      if (isSilent) silent.add(arrival)
      else clock.schedule(10, () => arrival.answer())
    }
  })
  for (let count = 0; count < 40; count++) {
    const one = call()
    await settled()
    clock.advance(10)
    await one
  }
  const [channel] = pipeline.channels()
  assert.deepEqual(channel?.adaptive?.timeout?.limits(), { GetBlob: 100 })
  isSilent = true
  const late = call()
  await settled()
  clock.advance(99)
  await settled()
  assert.equal(counters.timeouts, 0)
  clock.advance(1)
  await settled()
  assert.equal(counters.timeouts, 1)
  assert.deepEqual(channel?.adaptive?.timeout?.limits(), { GetBlob: 200 })
  isSilent = false
  clock.advance(100)
  await settled()
  clock.advance(10)
  await late
  assert.deepEqual([arrivals.length, counters.retries, silent.size], [42, 1, 1])
})

test('the options', async (context) => {
  const endpoint = 'http://127.0.0.1:9'
  const client = createClient({
    endpoint: [{ url: endpoint, attemptTimeoutMs: 'adaptive' }],
    concurrency: 'adaptive',
    adaptive: { leastCalls: 7 }
  })
  context.after(() => client.close())
  const { maxCalls, endpoints } = client.stats()
  assert.equal(maxCalls, 7)
  assert.deepEqual([endpoints[0]?.concurrencyLimit, endpoints[0]?.attemptTimeoutsMs], [7, {}])
  const wrong = [
    [{ attemptTimeoutMs: 'adaptiv' }, /attemptTimeoutMs: must be 'adaptive' or a number above 0, not "adaptiv"/],
    [{ concurrency: 'auto' }, /concurrency: must be an object of options/],
    [{ adaptive: { percentile: 101 } }, /adaptive\.percentile: must be a number above 0/]
  ] as const
  for (const [given, message] of wrong) {
    assert.throws(() => createClient({ endpoint, ...(given as object) }), { code: 'invalid_argument', message })
  }
})
