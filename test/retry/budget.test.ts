/** Retries must not multiply the load of a server in trouble. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlobwireError } from '../../src/core/error.ts'
import { RetryBudget } from '../../src/retry/budget.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { errorDetail } from '../support/fake-session.ts'
import { batchHarness, down, pipelineHarness, settled } from '../support/pipeline-harness.ts'

const rule = { budgetRatio: 0.2, budgetPerSecond: 10 }
/** A budget, and the calls that it counts. */
function newBudget() {
  const clock = new FakeClock()
  const counted = { clock, calls: 0 }
  return Object.assign(counted, { budget: new RetryBudget(clock, rule, () => counted.calls) })
}
const takeAll = (budget: RetryBudget) => {
  let taken = 0
  while (budget.take()) taken++
  return taken
}

test('the budget begins with that of ten seconds, and grows by 10 a second and a fifth of the calls', () => {
  const counted = newBudget()
  const { budget, clock } = counted
  assert.equal(takeAll(budget), 100)
  clock.advance(1000)
  assert.equal(takeAll(budget), 10)
  counted.calls += 200
  assert.equal(takeAll(budget), 40)
})

test('idle time saves up no more than ten seconds bring', () => {
  const { budget, clock } = newBudget()
  clock.advance(3_600_000)
  assert.equal(takeAll(budget), 100)
})

test('the budget saves a fifth of the calls of the last ten seconds, and none of older calls', () => {
  const counted = newBudget()
  const { budget, clock } = counted
  counted.calls += 10_000
  clock.advance(5000)
  assert.equal(takeAll(budget), 2000)
  counted.calls += 10_000
  clock.advance(60_000)
  assert.equal(takeAll(budget), 100)
})

test('200 calls a second that all fail for a minute: at most 1.25 attempts a call, without a breaker', async () => {
  const { write, clock, arrivals, counters } = pipelineHarness({ respond: (arrival) => arrival.fail(down) })
  const ends: Promise<unknown>[] = []
  for (let tick = 0; tick < 600; tick++) {
    for (let call = 0; call < 20; call++) ends.push(write().catch((error) => error.reason))
    await settled()
    clock.advance(100)
  }
  await settled()
  clock.advance(1000)
  const reasons = await Promise.all(ends)
  const ratio = arrivals.length / 12_000
  // A fifth, 10 a second of 200, and the savings of the beginning.
  assert.ok(ratio > 1.2 && ratio <= 1.2 + 0.05 + 100 / 12_000 + 0.001, `${ratio}`)
  assert.ok(reasons.includes('retry_budget_exhausted'))
  assert.equal(counters.retries, arrivals.length - 12_000)
})

test('the last error is reported, with the reason retry_budget_exhausted', async () => {
  const retry = { maxAttempts: 3, baseMs: 0, maxMs: 0, budgetRatio: 0, budgetPerSecond: 0 }
  const { write, arrivals } = pipelineHarness({ retry, respond: (arrival) => arrival.fail(down) })
  await assert.rejects(write(), {
    code: 'unavailable',
    reason: 'retry_budget_exhausted',
    message: 'storeBlob at a: down',
    attempts: 1
  })
  assert.equal(arrivals.length, 1)
})

test('attempts that never reached the server cost nothing', async () => {
  const retry = { maxAttempts: 3, baseMs: 0, maxMs: 0, budgetRatio: 0, budgetPerSecond: 0.1 }
  const { write, arrivals } = pipelineHarness({ retry, respond: (arrival) => arrival.fail({ ...down, sent: 'never' }) })
  for (let call = 0; call < 20; call++) await assert.rejects(write(), { code: 'unavailable', reason: '', attempts: 3 })
  assert.equal(arrivals.length, 60)
})

for (const breaks of [false, true]) {
  const spends = breaks ? 'a session that broke has spent it on what it sent again' : 'a session that holds spends none'
  test(`the budget has one retry: ${spends}`, async () => {
    const retry = { maxAttempts: 3, baseMs: 0, maxMs: 0, budgetRatio: 0, budgetPerSecond: 0.1 }
    const { store, stream, counters, clock } = batchHarness({ retry })
    const outcome = store('a').catch(({ reason }: BlobwireError) => reason)
    await settled()
    stream().greet()
    if (breaks) {
      stream().opening.onEnd(new BlobwireError({ code: 'unavailable', message: 'reset', sent: 'maybe' }))
      await settled()
      assert.deepEqual([counters.resent, stream().frames], [1, ['a']])
    }
    stream().fail(0, { code: 'unavailable', detail: errorDetail({ retryable: true }) })
    await settled()
    clock.advance(0)
    await settled()
    assert.equal(counters.retries, breaks ? 0 : 1)
    if (!breaks) stream().answer(1)
    assert.equal(await outcome, breaks ? 'retry_budget_exhausted' : 'oid of a')
  })
}

const reset = new BlobwireError({ code: 'unavailable', message: 'reset', sent: 'maybe' })

test('a session that had worked sends again unasked, and spends of the budget what that costs', async () => {
  const retry = { maxAttempts: 3, baseMs: 0, maxMs: 0, budgetRatio: 0, budgetPerSecond: 0.1 }
  const { store, stream, counters, clock } = batchHarness({ retry })
  const before = store('before')
  await settled()
  stream().answer(0)
  await before
  const outcome = store('a').catch(({ reason }: BlobwireError) => reason)
  await settled()
  stream().opening.onEnd(reset)
  await settled()
  assert.deepEqual([counters.resent, stream().frames], [1, ['a']])
  stream().fail(0, { code: 'unavailable', detail: errorDetail({ retryable: true }) })
  await settled()
  clock.advance(0)
  await settled()
  assert.deepEqual([counters.retries, await outcome], [0, 'retry_budget_exhausted'])
})

test('operations of a session that broke before it answered any are sent again within the budget', async () => {
  const retry = { maxAttempts: 3, baseMs: 0, maxMs: 0, budgetRatio: 0, budgetPerSecond: 0.3 }
  const { store, stream, counters } = batchHarness({ retry })
  const calls = Array.from({ length: 10 }, (_, index) => store(`${index}`).catch(({ code }: BlobwireError) => code))
  await settled()
  stream().greet()
  stream().opening.onEnd(reset)
  await settled()
  assert.equal(counters.resent, 3, 'the budget has three retries')
  stream().greet()
  stream().answer()
  const ends = await Promise.all(calls)
  assert.equal(ends.filter((end) => end.startsWith('oid of')).length, 3)
})

test('operations of a session that worked are sent again once, however many they are', async () => {
  const retry = { maxAttempts: 3, baseMs: 0, maxMs: 0, budgetRatio: 0, budgetPerSecond: 0 }
  const { store, stream, counters, clock } = batchHarness({ retry })
  const first = store('first')
  await settled()
  stream().greet()
  stream().answer()
  await first
  const calls = Array.from({ length: 10 }, (_, index) => store(`${index}`).catch(({ code }: BlobwireError) => code))
  await settled()
  stream().opening.onEnd(reset)
  await settled()
  assert.equal(counters.resent, 10)
  clock.advance(1)
  stream().greet()
  stream().opening.onEnd(reset)
  await settled()
  assert.equal(counters.resent, 10, 'and not a second time')
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(['unavailable']))
})

test('30 % of attempts fail: 99 % of calls succeed with five attempts, near the least load that can be', async () => {
  let state = 11
  const random = () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  const retry = { maxAttempts: 5, baseMs: 0, maxMs: 0, budgetRatio: 0.5, budgetPerSecond: 10 }
  const { write, arrivals } = pipelineHarness({
    retry,
    respond: (arrival) => (random() < 0.3 ? arrival.fail(down) : arrival.answer())
  })
  let failed = 0
  for (let call = 0; call < 5000; call++) await write().catch(() => failed++)
  assert.ok(failed / 5000 < 0.01, `${failed} of 5000 failed`)
  // 99 % of successes at 70 % each need at least 0.99 / 0.7 = 1.414 attempts a call.
  assert.ok(arrivals.length / 5000 <= 1.45, `${arrivals.length / 5000}`)
})
