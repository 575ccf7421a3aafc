/** Options of single calls in place of the client's: attempts, their time limit, and hedging. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { policyOf } from '../../src/call/call-policy.ts'
import { down, pipelineHarness, settled } from '../support/pipeline-harness.ts'
import { atEnd, testServer } from '../support/server.ts'

const policy = (options: Parameters<typeof policyOf>[0]) => policyOf(options)

test('a call has as many attempts as it says itself', async () => {
  for (const [retry, attempts] of [
    [false, 1],
    [{ maxAttempts: 2 }, 2],
    [undefined, 3]
  ] as const) {
    const harness = pipelineHarness({ respond: ({ fail }) => fail(down) })
    const call = harness.read({ policy: policy({ retry }) }).catch(() => undefined)
    for (let step = 0; step < 10; step++) {
      await settled()
      harness.clock.advance(1000)
    }
    await call
    assert.equal(harness.arrivals.length, attempts)
  }
  const once = pipelineHarness({ retry: { maxAttempts: 1 }, respond: ({ fail }) => fail(down) })
  const call = once.read({ policy: policy({ retry: { maxAttempts: 2 } }) }).catch(() => undefined)
  await settled()
  once.clock.advance(1000)
  await call
  assert.equal(once.arrivals.length, 2)
})

test('an attempt of a call has the time that the call says', async () => {
  const { read, clock, counters } = pipelineHarness({ attemptTimeoutMs: 10_000 })
  const call = read({ policy: policy({ attemptTimeoutMs: 20, retry: false }) })
  await settled()
  clock.advance(20)
  await assert.rejects(call, { reason: 'attempt_timeout' })
  assert.equal(counters.attempts, 1)
})

test('a call is hedged, or not, as it says itself', async () => {
  const endpoints = ['a', 'b']
  for (const [ofClient, ofCall, attempts] of [
    [{ delayMs: 50 }, false, 1],
    [false, { delayMs: 50 }, 2]
  ] as const) {
    const { read, clock, arrivals } = pipelineHarness({ hedge: ofClient, endpoints })
    const call = read({ policy: policy({ hedge: ofCall }) })
    await settled()
    clock.advance(60)
    await settled()
    assert.equal(arrivals.length, attempts)
    for (const { answer } of arrivals) answer()
    await call
  }
})

test('methods take these options, and check them', async (context) => {
  const client = atEnd(context, await testServer()).client()
  const options = { retry: { maxAttempts: 2 }, attemptTimeoutMs: 5000, hedge: { delayMs: 100 } }
  await client.createRepository('demo', options)
  await client.listRefs('demo', {}, options)
  for (const [wrong, expected] of [
    [{ retry: true }, /retry: must be an object of options, not true/],
    [{ retry: {} }, /retry\.maxAttempts: must be an integer from 1 to 100, not undefined/],
    [{ retry: { maxAttempts: 2, baseMs: 1 } }, /retry\.baseMs: unknown option/],
    [{ attemptTimeoutMs: 'adaptive' }, /attemptTimeoutMs: must be a number above 0, not "adaptive"/],
    [{ hedge: { delayMs: 0 } }, /hedge\.delayMs: must be/]
  ] as const) {
    await assert.rejects(client.listRefs('demo', {}, wrong as never), expected)
  }
})
