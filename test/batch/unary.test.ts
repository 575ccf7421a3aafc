/** Where there is no session, the same batches go as unary requests, and a session is tried again after a while. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlobwireError } from '../../src/core/error.ts'
import { malformedResponse } from '../../src/transport/errors.ts'
import { errorDetail, operationError, unaryAnswer } from '../support/fake-session.ts'
import { type Arrival, answering, batchHarness, outcomes, settled } from '../support/pipeline-harness.ts'

const none = new BlobwireError({ code: 'unimplemented', message: 'no sessions here', sent: 'processed' })

for (const error of [
  none,
  new BlobwireError({ code: 'unknown', message: 'HTTP status 505' }),
  malformedResponse('?')
]) {
  test(`${error.code} ${error.reason}: decided once, remembered, told`, async () => {
    const { store, stream, streams, arrivals, batcher } = batchHarness()
    const calls = ['a', 'b'].map((content) => store(content))
    await settled()
    stream().opening.onEnd(error)
    assert.deepEqual(await Promise.all(calls), ['oid of a', 'oid of b'])
    assert.deepEqual([batcher.mode, batcher.noSessionReason], ['unary', error.reason || error.code])
    assert.equal(await store('c'), 'oid of c')
    assert.deepEqual(
      arrivals.map(({ call: { method } }) => method.name),
      ['BatchOperations', 'StoreBlob']
    )
    assert.equal(streams.length, 1)
  })
}

test('silence for 1.5 s after the request has begun means a buffering proxy', async () => {
  const { store, stream, batcher, clock } = batchHarness()
  const call = store('a')
  await settled()
  stream().opening.onStart()
  clock.advance(1499)
  await settled()
  assert.equal(batcher.mode, 'session')
  clock.advance(1)
  assert.equal(await call, 'oid of a')
  assert.deepEqual([batcher.mode, batcher.noSessionReason], ['unary', 'session_silent'])
  assert.equal(stream().destroyed, true)
})

test('a server that has greeted is not silent, however long its work takes', async () => {
  const { store, stream, batcher, clock } = batchHarness()
  const call = store('a')
  await settled()
  stream().opening.onStart()
  stream().greet()
  clock.advance(20_000)
  await settled()
  assert.equal(batcher.mode, 'session')
  stream().answer()
  await call
})

test('after 60 s a session is tried beside the calls; once it is established, calls take it', async () => {
  const { store, stream, streams, batcher, clock } = batchHarness()
  const first = store('a')
  await settled()
  stream().opening.onEnd(none)
  await first
  clock.advance(59_999)
  await store('b')
  assert.equal(streams.length, 1)
  clock.advance(1)
  assert.equal(await store('c'), 'oid of c', 'it does not wait for the session')
  assert.equal(streams.length, 2)
  await store('d')
  assert.equal(streams.length, 2, 'one try at a time')
  stream().greet()
  const last = store('e')
  await settled()
  assert.deepEqual(stream().frames, ['e'])
  stream().answer()
  assert.equal(await last, 'oid of e')
  assert.deepEqual([batcher.mode, batcher.noSessionReason], ['session', ''])
})

test('a failing session is tried after 60, then 120 s, up to 600', async () => {
  const { store, streams, clock } = batchHarness({
    onOpen: ({ opening }) => setImmediate(() => opening.onEnd(none))
  })
  await store('a')
  await settled()
  const opened: number[] = []
  for (let seconds = 10; seconds <= 3000; seconds += 10) {
    clock.advance(10_000)
    const before = streams.length
    await store('b')
    await settled()
    if (streams.length > before) opened.push(seconds)
  }
  assert.deepEqual(opened, [60, 180, 420, 900, 1500, 2100, 2700])
})

/** A harness whose batches go as unary requests already. */
async function downgraded(options: Parameters<typeof batchHarness>[0] = {}) {
  const made = batchHarness(options)
  const first = made.store('first')
  await settled()
  made.stream().opening.onEnd(none)
  await first
  made.arrivals.length = 0
  return made
}

test('while two requests are under way, calls gather into the next', async () => {
  let hold = false
  const answer = answering(unaryAnswer)
  const { store, arrivals } = await downgraded({ respond: (arrival) => hold || answer(arrival) })
  hold = true
  const calls: Promise<string>[] = []
  for (const content of 'abcd') {
    calls.push(store(content))
    await settled()
  }
  assert.equal(arrivals.length, 2)
  answer(arrivals[0] as Arrival)
  await settled()
  for (const arrival of arrivals.slice(1)) answer(arrival)
  assert.deepEqual(await Promise.all(calls), ['oid of a', 'oid of b', 'oid of c', 'oid of d'])
  assert.equal(arrivals.length, 3)
})

test('batch_response_full: those calls are asked for again', async () => {
  const full = operationError({
    code: 'resource_exhausted',
    detail: errorDetail({ reason: 'batch_response_full', retryable: true })
  })
  const { store, arrivals } = await downgraded({
    respond: answering((call) => {
      const answer = unaryAnswer(call) as { results?: object[] }
      answer.results?.splice(1, answer.results.length - 1, ...answer.results.slice(1).map(() => ({ error: full })))
      return answer
    })
  })
  const ends = await outcomes([...'abc'].map((content) => store(content)))
  assert.deepEqual(ends, ['oid of a', 'oid of b', 'oid of c'])
  assert.equal(arrivals.length, 3)
})

test('a request that is too large is halved', async () => {
  const { store, arrivals } = await downgraded({
    respond: answering((call) => {
      const { operations = [] } = call.request as { operations?: object[] }
      if (operations.length <= 2) return unaryAnswer(call)
      throw new BlobwireError({ code: 'resource_exhausted', reason: 'request_too_large', message: 'HTTP status 413' })
    })
  })
  const ends = await outcomes([...'abcde'].map((content) => store(content)))
  assert.deepEqual(
    ends,
    [...'abcde'].map((content) => `oid of ${content}`)
  )
  assert.equal(arrivals.length, 5)
})

for (const count of [0, 1, 3]) {
  test(`${count} results for two operations are malformed_response for that request`, async () => {
    const result = { storeBlob: { oid: 'oid', size: 1 } }
    const results = Array.from({ length: count }, () => result)
    const { store } = await downgraded({
      respond: answering((call) => ('operations' in call.request ? { results } : unaryAnswer(call)))
    })
    for (const end of await outcomes([store('a'), store('b')])) {
      assert.equal((end as BlobwireError).reason, 'malformed_response')
    }
  })
}

test('a request is aborted with the last of its calls, and not before', async () => {
  let hold = false
  const answer = answering(unaryAnswer)
  const { store, arrivals } = await downgraded({ respond: (arrival) => hold || answer(arrival) })
  hold = true
  const controllers = [new AbortController(), new AbortController()]
  const calls = controllers.map(({ signal }, index) => store(`${index}`, { signal }))
  await settled()
  controllers[0]?.abort()
  assert.equal(arrivals[0]?.call.signal.aborted, false)
  controllers[1]?.abort()
  assert.equal(arrivals[0]?.call.signal.aborted, true)
  await outcomes(calls)
})
