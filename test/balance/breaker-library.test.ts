/** Why the breaker is our own: the behaviour of cockatiel while half open. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel'
import { CircuitBreaker, noPermit } from '../../src/balance/circuit-breaker.ts'
import { FakeClock } from '../support/fake-clock.ts'

test('cockatiel holds all callers while its probe has no answer; our breaker refuses them', async () => {
  const policy = circuitBreaker(handleAll, { halfOpenAfter: 0, breaker: new ConsecutiveBreaker(1) })
  await assert.rejects(policy.execute(() => Promise.reject(new Error('down'))))
  const probe = Promise.withResolvers<void>()
  const probing = policy.execute(() => probe.promise)
  let settled = 0
  const others = Array.from({ length: 199 }, () => policy.execute(async () => undefined).finally(() => settled++))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(settled, 0, 'neither sent nor refused')
  probe.resolve()
  await Promise.all([probing, ...others])

  const clock = new FakeClock()
  const breaker = new CircuitBreaker(clock, { failures: 1, ratio: 1, minimumAttempts: 1, windowMs: 1, openMs: 1 })
  breaker.record(breaker.tryAcquire(), 'failure', clock.now())
  clock.advance(1)
  const passes = Array.from({ length: 200 }, () => breaker.tryAcquire())
  assert.equal(passes.filter((permit) => permit !== noPermit).length, 1)
})
