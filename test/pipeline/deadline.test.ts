import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { BlobwireError } from '../../src/core/error.ts'
import { Deadline, type Draft } from '../../src/pipeline/deadline.ts'
import { methods } from '../../src/schema/methods.ts'
import type { Call, Settle } from '../../src/transport/transport.ts'
import { FakeClock } from '../support/fake-clock.ts'

const draft = (over: Partial<Draft> = {}): Draft => ({
  method: methods.getBlob,
  request: {},
  headers: {},
  timeoutMs: 500,
  signal: undefined,
  ...over
})
const never = () => undefined
/** Below the deadline: what answers with a promise. */
const answering =
  (next: (call: Call) => Promise<object>) =>
  (call: Call, settle: Settle): void => {
    next(call).then(
      (response) => settle.succeed(response),
      (error) => settle.fail(error)
    )
  }

test('an answer settles the call and leaves no timer and no listener', async () => {
  const clock = new FakeClock()
  const { signal } = new AbortController()
  const deadline = new Deadline(clock)
  const response = await deadline.run(
    draft({ signal }),
    answering(async () => ({ ok: true }))
  )
  assert.deepEqual(response, { ok: true })
  assert.equal(clock.pending, 1, 'the timer that calls of this duration share')
  clock.advance(500)
  assert.equal(clock.pending, 0)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('silence ends at the deadline, with the signal below aborted', async () => {
  const clock = new FakeClock()
  let seen: Call | undefined
  const result = new Deadline(clock).run(draft(), (call) => {
    seen = call
  })
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
  const result = new Deadline(clock).run(draft({ signal: controller.signal }), never)
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
  const run = new Deadline(new FakeClock()).run(draft({ signal: AbortSignal.abort() }), () => {
    sent++
  })
  await assert.rejects(run, { code: 'cancelled', sent: 'never', attempts: 0 })
  assert.equal(sent, 0)
})

test('closing ends calls under way and refuses later ones', async () => {
  const clock = new FakeClock()
  const deadline = new Deadline(clock)
  const running = [deadline.run(draft(), never), deadline.run(draft(), never)]
  deadline.close()
  deadline.close()
  for (const call of running) await assert.rejects(call, { code: 'cancelled', reason: 'client_closed', sent: 'maybe' })
  await assert.rejects(deadline.run(draft(), never), { reason: 'client_closed', sent: 'never' })
  assert.equal(clock.pending, 0)
})

test('an answer that comes too late changes nothing', async () => {
  const clock = new FakeClock()
  let answer: (value: object) => void = () => {}
  const result = new Deadline(clock).run(
    draft(),
    answering(() => new Promise((resolve) => (answer = resolve)))
  )
  clock.advance(500)
  answer({})
  await assert.rejects(result, BlobwireError)
})
