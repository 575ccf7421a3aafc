import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { Bulkhead } from '../../src/call/bulkhead.ts'
import type { Call, Sink } from '../../src/call/call.ts'
import { DeadlineTimers } from '../../src/call/deadline-timers.ts'
import { closeCalls, type RunningCallContext, runCall, type UnstartedCall } from '../../src/call/running-call.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { methods } from '../../src/schema/methods.ts'
import { Telemetry } from '../../src/telemetry/telemetry.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { noWork } from '../support/pipeline-harness.ts'

const unstarted = (over: Partial<UnstartedCall> = {}): UnstartedCall => ({
  method: methods.getBlob,
  request: {},
  headers: {},
  timeoutMs: 500,
  signal: undefined,
  ...over
})
const underWay = { cancel: () => undefined, progress: () => ({ sent: 'maybe', attempts: 1 }) as const }
/** A layer below the deadline that never answers. */
const never = (call: Call) => call.onCancel(underWay)
const callsOf = (clock: FakeClock, start: RunningCallContext['start'], limit = { maxCalls: 9, maxQueued: 9 }) => {
  const context = {
    clock,
    bulkhead: new Bulkhead(limit, noWork),
    timers: new DeadlineTimers(clock),
    telemetry: new Telemetry(clock),
    start,
    failed: (error: unknown) => error as BlobwireError,
    succeeded: () => undefined
  }
  return { run: (call: UnstartedCall) => runCall(call, context), close: () => closeCalls(context) }
}
/** A layer below the deadline that answers with a promise. */
const answering =
  (next: (call: Call) => Promise<object>) =>
  (call: Call, sink: Sink): void => {
    next(call).then(
      (response) => sink.succeed(response),
      (error) => sink.fail(error)
    )
  }

test('an answer settles the call and leaves no timer and no listener', async () => {
  const clock = new FakeClock()
  const { signal } = new AbortController()
  const client = callsOf(
    clock,
    answering(async () => ({ ok: true }))
  )
  const response = await client.run(unstarted({ signal }))
  assert.deepEqual(response, { ok: true })
  assert.equal(clock.pending, 1, 'the timer that calls of this duration share')
  clock.advance(500)
  assert.equal(clock.pending, 0)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('silence ends at the deadline, with the signal below aborted', async () => {
  const clock = new FakeClock()
  let seen: Call | undefined
  const start = (call: Call) => {
    never(call)
    seen = call
  }
  const result = callsOf(clock, start).run(unstarted())
  clock.advance(200)
  assert.equal(seen?.remainingMs(), 300)
  assert.equal(seen?.signal.aborted, false)
  clock.advance(300)
  await assert.rejects(result, { code: 'deadline_exceeded', sent: 'maybe', attempts: 1, retryable: false })
  assert.equal(seen?.signal.aborted, true)
})

test('an abort settles at once, whatever the layers below do', async () => {
  const clock = new FakeClock()
  const controller = new AbortController()
  const result = callsOf(clock, never).run(unstarted({ signal: controller.signal }))
  controller.abort(new Error('enough'))
  await assert.rejects(result, (error: BlobwireError) => {
    assert.equal(error.code, 'cancelled')
    assert.equal(error.sent, 'maybe')
    assert.equal((error.cause as Error).message, 'enough')
    return true
  })
})

test('a signal that is aborted already sends nothing', async () => {
  let sent = 0
  const start = () => {
    sent++
  }
  const run = callsOf(new FakeClock(), start).run(unstarted({ signal: AbortSignal.abort() }))
  await assert.rejects(run, { code: 'cancelled', sent: 'never', attempts: 0 })
  assert.equal(sent, 0)
})

test('closing ends calls under way and refuses later ones', async () => {
  const clock = new FakeClock()
  const client = callsOf(clock, never)
  const running = [client.run(unstarted()), client.run(unstarted())]
  client.close()
  client.close()
  for (const call of running) await assert.rejects(call, { code: 'cancelled', reason: 'client_closed', sent: 'maybe' })
  await assert.rejects(client.run(unstarted()), { reason: 'client_closed', sent: 'never' })
  assert.equal(clock.pending, 0)
})

test('an answer that comes too late changes nothing', async () => {
  const clock = new FakeClock()
  let answer: (value: object) => void = () => {}
  const start = answering(() => new Promise((resolve) => (answer = resolve)))
  const result = callsOf(clock, start).run(unstarted())
  clock.advance(500)
  answer({})
  await assert.rejects(result, BlobwireError)
})

test('calls beyond the limit wait in order; a call that ends in the queue was never sent', async () => {
  const clock = new FakeClock()
  const started: Sink[] = []
  const start: RunningCallContext['start'] = (_call, sink) => started.push(sink)
  const client = callsOf(clock, start, { maxCalls: 1, maxQueued: 2 })
  const controller = new AbortController()
  const [first, second, third] = [unstarted(), unstarted({ signal: controller.signal }), unstarted()].map((one) =>
    client.run(one)
  )
  await assert.rejects(client.run(unstarted()), { code: 'resource_exhausted', reason: 'queue_full', sent: 'never' })
  controller.abort()
  await assert.rejects(second as Promise<object>, { code: 'cancelled', sent: 'never', attempts: 0 })
  assert.equal(started.length, 1)
  const fourth = client.run(unstarted())
  started[0]?.succeed({})
  await first
  assert.equal(started.length, 2)
  clock.advance(500)
  await assert.rejects(third as Promise<object>, { code: 'deadline_exceeded' })
  await assert.rejects(fourth, { code: 'deadline_exceeded', sent: 'never' })
  assert.equal(started.length, 2, 'the one whose time was over as well')
})

test('closing admits no waiting call', async () => {
  const started: Call[] = []
  const client = callsOf(new FakeClock(), (call) => started.push(call), { maxCalls: 1, maxQueued: 9 })
  const calls = [client.run(unstarted()), client.run(unstarted()), client.run(unstarted())]
  client.close()
  for (const call of calls) await assert.rejects(call, { reason: 'client_closed' })
  assert.equal(started.length, 1)
})

test('thousands of calls that fail as soon as they are admitted do not pile up on the stack', async () => {
  const start: RunningCallContext['start'] = (_call, sink) => {
    if (started++ > 0) sink.fail(new BlobwireError({ code: 'unavailable', reason: 'circuit_open', message: 'no' }))
    else first = sink
  }
  let started = 0
  let first: Sink | undefined
  const client = callsOf(new FakeClock(), start, { maxCalls: 1, maxQueued: 50_000 })
  const calls = Array.from({ length: 50_000 }, () => client.run(unstarted()))
  const ends = Promise.allSettled(calls)
  first?.succeed({})
  const failed = (await ends).filter(({ status }) => status === 'rejected')
  assert.deepEqual([started, failed.length], [50_000, 49_999])
})
