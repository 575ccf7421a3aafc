/** Calls that end before their answer: abort, deadline, close, and a queue that is full. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { methods } from '../../src/schema/methods.ts'
import { batchHarness, outcomes, settled } from '../support/pipeline-harness.ts'

test('a call aborted in the queue is never sent; its neighbours are sent', async () => {
  const { store, stream, batcher } = batchHarness()
  const first = [store('a')]
  await settled()
  first.push(store('b'))
  await settled()
  const controller = new AbortController()
  const waiting = [store('c'), store('d', { signal: controller.signal }), store('e')]
  await settled()
  controller.abort()
  await assert.rejects(waiting[1] as Promise<string>, { code: 'cancelled' })
  stream().answer(0)
  await settled()
  assert.deepEqual(stream().frames, ['a', 'b', 'c e'])
  assert.deepEqual(stream().cancelled, [])
  assert.equal(batcher.queued, 0)
  stream().answer(1, 2)
  await Promise.all([...first, waiting[0], waiting[2]])
})

test('a call aborted in flight settles at once, the server is asked to stop it, and its neighbours get their answers', async () => {
  const { store, stream } = batchHarness()
  const controller = new AbortController()
  const calls = [store('a'), store('b', { signal: controller.signal }), store('c')]
  await settled()
  const results = stream().resultsOf(0)
  controller.abort()
  await assert.rejects(calls[1] as Promise<string>, { code: 'cancelled', sent: 'maybe' })
  await settled()
  assert.deepEqual(stream().cancelled, [results[1]?.id])
  stream().respond(results)
  assert.deepEqual(await Promise.all([calls[0], calls[2]]), ['oid of a', 'oid of c'])
  assert.equal(stream().destroyed, false, 'a result for a call that has ended is no fault')
})

test('a deadline ends a call in flight the same way', async () => {
  const { store, stream, clock } = batchHarness()
  const calls = [store('a', { timeoutMs: 100 }), store('b')]
  await settled()
  stream().greet()
  clock.advance(100)
  await assert.rejects(calls[0] as Promise<string>, { code: 'deadline_exceeded' })
  await settled()
  assert.deepEqual(stream().cancelled, [stream().resultsOf(0)[0]?.id])
  stream().answer()
  assert.equal(await calls[1], 'oid of b')
})

test('frames without a waiting call do not hold up the next ones', async () => {
  const { store, stream, clock } = batchHarness()
  const stuck = [store('a', { timeoutMs: 100 })]
  await settled()
  stream().greet()
  stuck.push(store('b', { timeoutMs: 100 }))
  await settled()
  clock.advance(100)
  for (const call of stuck) await assert.rejects(call, { code: 'deadline_exceeded' })
  const next = store('c')
  await settled()
  assert.deepEqual(stream().frames, ['a', 'b', 'c'])
  stream().answer(2)
  assert.equal(await next, 'oid of c')
  stream().answer(0, 1)
  const last: Promise<string>[] = []
  for (const content of 'def') {
    last.push(store(content))
    await settled()
  }
  assert.deepEqual(stream().frames.slice(3), ['d', 'e'], 'late results are known, and not counted twice')
  stream().answer(3)
  await settled()
  stream().answer(4, 5)
  await Promise.all(last)
})

test('a session whose server answers nothing, cancelled or not, is left for another', async () => {
  const { store, stream, streams, clock } = batchHarness({ batch: { framesInFlight: 4 } })
  for (let round = 0; round < 20; round++) {
    const call = store(`${round}`, { timeoutMs: 100 })
    await settled()
    if (stream().sent.length === 1) stream().greet()
    clock.advance(100)
    await assert.rejects(call, { code: 'deadline_exceeded' })
  }
  assert.ok(streams.length > 1 && streams.length < 8, `${streams.length} sessions`)
  assert.equal(streams[0]?.destroyed, true)
})

test('an unresponsive session is left with the first call that ends on it; the other calls move to another session', async () => {
  const { store, stream, streams, clock } = batchHarness()
  const noteActivity = store('a')
  await settled()
  stream().answer(0)
  await noteActivity
  const calls = [store('b', { timeoutMs: 1200 }), store('c', { timeoutMs: 5000 })]
  await settled()
  clock.advance(1199)
  assert.equal(streams.length, 1)
  clock.advance(1)
  await assert.rejects(calls[0] as Promise<string>, { code: 'deadline_exceeded', sent: 'maybe' })
  await settled()
  assert.deepEqual([streams.length, streams[0]?.destroyed], [2, true])
  assert.deepEqual([stream().frames, stream().cancelled], [['c'], []], 'ids of the old session are not cancelled here')
  stream().answer(0)
  assert.equal(await calls[1], 'oid of c')
})

test('a session that answers other calls is not left for one unanswered call', async () => {
  const { store, stream, streams, clock } = batchHarness()
  const stuck = store('a', { timeoutMs: 5000 })
  await settled()
  stream().greet()
  for (let round = 1; round <= 9; round++) {
    clock.advance(500)
    const call = store(`${round}`)
    await settled()
    stream().answer(round)
    await call
  }
  clock.advance(500)
  await assert.rejects(stuck, { code: 'deadline_exceeded' })
  await settled()
  assert.deepEqual([streams.length, streams[0]?.destroyed], [1, false])
})

for (const [afterMs, sessions] of [
  [9000, 1],
  [11_000, 2]
] as const) {
  test(`slow operations are given more time: after ${afterMs} ms there are ${sessions} sessions`, async () => {
    const { run, stream, streams, clock } = batchHarness()
    const [method, request] = [methods.listCommits, { repository: 'demo', revision: 'HEAD' }]
    const call = run({ method, request, timeoutMs: afterMs })
    await settled()
    stream().greet()
    clock.advance(afterMs)
    await assert.rejects(call, { code: 'deadline_exceeded' })
    const next = run({ method, request })
    next.catch(() => undefined)
    await settled()
    assert.equal(streams.length, sessions)
  })
}

test('a window full of unanswered frames differs from a window full of work: three calls in flight stay', async () => {
  const { store, stream, streams } = batchHarness()
  const controller = new AbortController()
  const calls = [store('a'), store('b', { signal: controller.signal })]
  await settled()
  controller.abort()
  await assert.rejects(calls[1] as Promise<string>)
  const more = [store('c')]
  await settled()
  more.push(store('d'))
  await settled()
  assert.deepEqual(stream().frames, ['a b', 'c'], 'a still waits: its frame counts')
  stream().answer(0, 1)
  await settled()
  stream().answer(2)
  await Promise.all([calls[0], ...more])
  assert.equal(streams.length, 1)
})

test('a full queue refuses with queue_full; calls that end make room', async () => {
  const { store, stream, batcher } = batchHarness({ batch: { maxQueued: 3, maxOperations: 1 } })
  const calls = [store('a')]
  await settled()
  calls.push(store('b'))
  await settled()
  const controller = new AbortController()
  const { signal } = controller
  const waiting = [store('c', { signal }), store('d', { signal }), store('e')]
  await settled()
  await assert.rejects(store('f'), { code: 'resource_exhausted', reason: 'queue_full', sent: 'never', attempts: 0 })
  controller.abort()
  await outcomes(waiting.slice(0, 2))
  assert.equal(batcher.queued, 1)
  const later = [store('g'), store('h')]
  await settled()
  await assert.rejects(store('i'), { reason: 'queue_full' })
  for (let place = 0; place < 5; place++) {
    await settled()
    stream().answer(place)
  }
  assert.deepEqual(stream().frames, ['a', 'b', 'e', 'g', 'h'])
  await Promise.all([...calls, waiting[2], ...later])
})

test('a queue full of bytes refuses as well; an empty queue takes a call of any size', async () => {
  const { store, stream } = batchHarness({ batch: { maxQueuedBytes: 1000, framesInFlight: 1 } })
  const calls = [store('a')]
  await settled()
  const large = 'x'.repeat(5000)
  calls.push(store(large))
  await settled()
  const refused = await Promise.race([store('y').catch((error) => error), settled().then(() => 'it waits')])
  assert.deepEqual([refused.code, refused.reason, refused.sent], ['resource_exhausted', 'queue_full', 'never'])
  stream().answer(0)
  await settled()
  stream().answer(1)
  await Promise.all(calls)
  assert.deepEqual(stream().frames, ['a', large])
})

test('closing settles waiting calls and calls in flight, destroys the session and leaves no timer', async () => {
  const { store, pipeline, stream, clock } = batchHarness({ batch: { lingerMs: 0 } })
  const calls = [store('a')]
  await settled()
  stream().greet()
  calls.push(store('b'))
  await settled()
  calls.push(store('c'))
  await settled()
  pipeline.close()
  for (const end of await outcomes(calls)) {
    const { code, reason } = end as { code: string; reason: string }
    assert.deepEqual([code, reason], ['cancelled', 'client_closed'])
  }
  assert.equal(stream().destroyed, true)
  assert.equal(clock.pending, 0)
  stream().answer(0)
  stream().opening.onEnd(undefined)
  await settled()
  assert.deepEqual(stream().frames, ['a', 'b'], 'nothing is sent after that')
  await assert.rejects(store('d'), { reason: 'client_closed', sent: 'never' })
})

test('closing while a frame lingers leaves no timer', async () => {
  const { store, pipeline, streams, clock } = batchHarness({ batch: { lingerMs: 50 } })
  const call = store('a')
  await settled()
  pipeline.close()
  await assert.rejects(call, { reason: 'client_closed' })
  assert.deepEqual([clock.pending, streams.length], [0, 0])
})
