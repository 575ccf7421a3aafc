/** Deadlines count for the breaker only where the endpoint is silent: for everybody, for a while, and unusually. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeStream } from '../support/fake-session.ts'
import { type Arrival, batchHarness, defaultBreaker, pipelineHarness, settled } from '../support/pipeline-harness.ts'

const breaker = { ...defaultBreaker, waitMs: 0 }
/** Where successes lie between, only the share can open it. */
const byShare = { ...breaker, minimumAttempts: 4 }
const retry = { maxAttempts: 1, baseMs: 0, maxMs: 0, budgetRatio: 1, budgetPerSecond: 10 }

/** Calls that end at their deadlines, one after the other; `meanwhile` runs before each deadline. */
async function deadlines(
  { write, clock }: Pick<ReturnType<typeof pipelineHarness>, 'write' | 'clock'>,
  { count = 5, timeoutMs = 2000, meanwhile = async () => {} } = {}
) {
  for (let call = 0; call < count; call++) {
    const end = assert.rejects(write({ timeoutMs }), { code: 'deadline_exceeded' })
    await settled()
    clock.advance(timeoutMs / 2)
    await meanwhile()
    clock.advance(timeoutMs / 2)
    await end
  }
}
const stateOf = ({ pipeline }: Pick<ReturnType<typeof pipelineHarness>, 'pipeline'>) =>
  pipeline.channels()[0]?.breaker?.state

test('five deadlines of two seconds without any answer open the breaker', async () => {
  const harness = pipelineHarness({ breaker, retry })
  await deadlines(harness, { count: 4 })
  assert.equal(stateOf(harness), 'closed')
  await deadlines(harness, { count: 1 })
  assert.equal(stateOf(harness), 'open')
})

test('deadlines of less than a second prove nothing', async () => {
  const harness = pipelineHarness({ breaker, retry })
  await deadlines(harness, { count: 50, timeoutMs: 900 })
  assert.equal(stateOf(harness), 'closed')
})

for (const [answer, answered] of [
  ['an answer', (arrival: Arrival) => arrival.answer()],
  ['an error', (arrival: Arrival) => arrival.fail({ code: 'not_found', message: 'no', sent: 'processed' })]
] as const) {
  test(`deadlines while others have ${answer} prove nothing`, async () => {
    const harness = pipelineHarness({ breaker: byShare, retry })
    const { write, arrivals, last } = harness
    await deadlines(harness, {
      count: 30,
      async meanwhile() {
        const other = write().catch(() => undefined)
        await settled()
        answered(last())
        await other
      }
    })
    assert.ok(arrivals.length > 50)
    assert.equal(stateOf(harness), 'closed')
  })
}

test('deadlines on a session while results of others come, be they of the same frame, prove nothing', async () => {
  const harness = batchHarness({ breaker: byShare, retry })
  const { store, stream, clock } = harness
  const first = store('first')
  await settled()
  stream().greet()
  await settled()
  stream().answer()
  await first
  for (let call = 0; call < 10; call++) {
    const end = assert.rejects(store('slow', { timeoutMs: 2000, repository: 'slow' }), { code: 'deadline_exceeded' })
    const quick = store('quick')
    await settled()
    clock.advance(1000)
    stream().respond([stream().resultsOf(stream().sent.length - 1)[1] as ReturnType<FakeStream['resultsOf']>[number]])
    await quick
    clock.advance(1000)
    await end
  }
  assert.equal(stateOf(harness), 'closed')
})

test('where answers usually take five seconds, deadlines of two prove nothing', async () => {
  const harness = pipelineHarness({ breaker, retry })
  const { write, clock, last } = harness
  const slow = write()
  await settled()
  clock.advance(5000)
  last().answer()
  await slow
  clock.advance(1)
  await deadlines(harness, { count: 20 })
  assert.equal(stateOf(harness), 'closed')
  await deadlines(harness, { timeoutMs: 6000 })
  assert.equal(stateOf(harness), 'open')
})

test('calls that end before they got on their way prove nothing: a token may be late', async () => {
  const harness = batchHarness({ breaker, retry, token: () => new Promise<string>(() => {}) })
  await deadlines(harness, { count: 10 })
  assert.equal(harness.streams.length, 0)
  assert.equal(stateOf(harness), 'closed')
})

test('attempts that end after attemptTimeoutMs are judged like deadlines', async () => {
  for (const [attemptTimeoutMs, state] of [
    [500, 'closed'],
    [1500, 'open']
  ] as const) {
    const harness = pipelineHarness({ breaker, retry, attemptTimeoutMs })
    for (let call = 0; call < 5; call++) {
      const end = assert.rejects(harness.write(), { reason: 'attempt_timeout' })
      await settled()
      harness.clock.advance(attemptTimeoutMs)
      await end
    }
    assert.equal(stateOf(harness), state)
  }
})

test('the answer to a probe closes the breaker, whatever it says', async () => {
  const harness = pipelineHarness({ breaker, retry })
  const { write, clock, last } = harness
  await deadlines(harness)
  assert.equal(stateOf(harness), 'open')
  clock.advance(500)
  const probe = assert.rejects(write(), { code: 'not_found' })
  await settled()
  last().fail({ code: 'not_found', message: 'no', sent: 'processed' })
  await probe
  assert.equal(stateOf(harness), 'closed')
})
