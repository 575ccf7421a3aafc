/** Sessions begin, break, end and begin again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlobwireError } from '../../src/core/error.ts'
import { methods } from '../../src/schema/methods.ts'
import { errorDetail, unaryAnswer } from '../support/fake-session.ts'
import { answering, batchHarness, outcomes, settled } from '../support/pipeline-harness.ts'

const reset = () => new BlobwireError({ code: 'unavailable', message: 'connection reset', sent: 'maybe' })

test('a session breaks: unanswered operations are sent on a new one, answered ones are not', async () => {
  const { store, stream, streams, counters } = batchHarness()
  const calls = ['a', 'b', 'c'].map((content) => store(content))
  await settled()
  stream().respond(stream().resultsOf(0).slice(1, 2))
  stream().opening.onEnd(reset())
  await settled()
  assert.equal(streams.length, 2)
  assert.deepEqual(stream().frames, ['a c'])
  stream().answer()
  assert.deepEqual(await Promise.all(calls), ['oid of a', 'oid of b', 'oid of c'])
  assert.deepEqual([counters.sessions, counters.resent], [2, 2])
})

test('a session that ends with the refusal of its caller sends nothing again', async () => {
  const { store, stream, streams } = batchHarness()
  const call = store('a')
  await settled()
  stream().greet()
  stream().opening.onEnd(new BlobwireError({ code: 'permission_denied', message: 'no', sent: 'processed' }))
  await assert.rejects(call, { code: 'permission_denied' })
  assert.equal(streams.length, 1)
})

test('operations in flight are sent again before waiting ones', async () => {
  const { store, stream } = batchHarness()
  const calls = [store('a')]
  await settled()
  stream().greet()
  for (const content of ['b', 'c']) {
    calls.push(store(content))
    await settled()
  }
  stream().opening.onEnd(undefined)
  await settled()
  assert.deepEqual(stream().frames, ['a b c'])
  stream().answer()
  await Promise.all(calls)
})

test('an aborted call is not sent again', async () => {
  const { store, stream } = batchHarness()
  const controller = new AbortController()
  const calls = [store('a'), store('b', { signal: controller.signal })]
  await settled()
  stream().greet()
  controller.abort()
  await outcomes(calls.slice(1))
  stream().opening.onEnd(reset())
  await settled()
  assert.deepEqual(stream().frames, ['a'])
  stream().answer()
  await calls[0]
})

test('results of an ended session are ignored', async () => {
  const { store, stream, streams } = batchHarness()
  const call = store('a')
  await settled()
  const [old] = streams
  old?.greet()
  old?.opening.onEnd(reset())
  await settled()
  old?.answer()
  let isSettled = false
  call.finally(() => {
    isSettled = true
  })
  await settled()
  assert.equal(isSettled, false)
  stream().answer()
  await call
})

test('an operation is sent three times at most, and its error counts the attempts', async () => {
  const { store, streams, stream } = batchHarness({ onOpen: () => undefined })
  const call = store('a')
  for (let send = 1; send <= 3; send++) {
    await settled()
    assert.equal(streams.length, send)
    stream().greet()
    stream().opening.onEnd(reset())
  }
  await assert.rejects(call, { code: 'unavailable', sent: 'maybe', attempts: 3 })
  await settled()
  assert.equal(streams.length, 3)
})

test('a server that ends each session cleanly without an answer: unavailable after three sends', async () => {
  const { store, streams, stream } = batchHarness()
  const call = store('a')
  for (let send = 1; send <= 3; send++) {
    await settled()
    stream().opening.onEnd(undefined)
  }
  await assert.rejects(call, { code: 'unavailable', attempts: 3 })
  assert.equal(streams.length, 3)
})

test('a session that cannot be opened fails its waiting calls, and the next call tries again', async () => {
  const { store, streams, stream, batcher } = batchHarness()
  const calls = ['a', 'b'].map((content) => store(content))
  await settled()
  calls.push(store('c'))
  stream().opening.onEnd(new BlobwireError({ code: 'unavailable', message: 'refused', sent: 'never' }))
  for (const end of await outcomes(calls)) assert.equal((end as BlobwireError).code, 'unavailable')
  assert.equal(batcher.mode, 'session', 'nothing is known of sessions')
  const next = store('d')
  await settled()
  assert.equal(streams.length, 2)
  stream().answer()
  assert.equal(await next, 'oid of d')
})

test('a token that has expired in mid-session: one new session with a new token', async () => {
  let asked = 0
  const { store, stream, streams } = batchHarness({ token: () => `token-${++asked}` })
  const first = store('a')
  await settled()
  stream().answer()
  await first
  const calls = ['b', 'c'].map((content) => store(content))
  await settled()
  stream().fail(1, { code: 'unauthenticated', detail: errorDetail({ reason: 'expired_token' }) })
  await settled()
  assert.deepEqual([asked, streams.length, streams[0]?.destroyed], [2, 2, true])
  assert.equal(stream().opening.headers['authorization'], 'Bearer token-2')
  assert.deepEqual(stream().frames, ['b c'])
  stream().answer()
  assert.deepEqual(await Promise.all(calls), ['oid of b', 'oid of c'])
})

test('a call that was already sent twice is sent again with a new token', async () => {
  const { store, stream, streams } = batchHarness({ token: () => 'new' })
  const call = store('a')
  await settled()
  stream().greet()
  stream().opening.onEnd(new BlobwireError({ code: 'unavailable', message: 'reset', sent: 'maybe' }))
  await settled()
  stream().fail(0, { code: 'unauthenticated', detail: errorDetail({ reason: 'expired_token' }) })
  await settled()
  assert.equal(streams.length, 3)
  stream().answer()
  assert.equal(await call, 'oid of a')
})

test('unauthenticated with the new token as well fails the call', async () => {
  const { store, stream, streams } = batchHarness({ token: () => 'always' })
  const call = store('a')
  for (let session = 1; session <= 2; session++) {
    await settled()
    stream().fail(0, { code: 'unauthenticated' })
  }
  await assert.rejects(call, { code: 'unauthenticated' })
  assert.equal(streams.length, 2)
})

test('a fixed token is not renewed', async () => {
  const { store, stream, streams } = batchHarness({ token: 'fixed' })
  const call = store('a')
  await settled()
  stream().fail(0, { code: 'unauthenticated' })
  await assert.rejects(call, { code: 'unauthenticated' })
  assert.equal(streams.length, 1)
})

const tooLarge = (maximum: number) =>
  new BlobwireError({
    code: 'resource_exhausted',
    message: 'too large',
    sent: 'processed',
    details: { limit: { limit: 'max_batch_bytes', maximum, actual: 0 } }
  })

test('max_batch_bytes is learned from the end of a session; calls in flight go in requests that are halved', async () => {
  const { store, stream, limits, arrivals } = batchHarness({
    respond: answering((call) => {
      const { operations = [] } = call.request as { operations?: object[] }
      if (operations.length > 2) throw tooLarge(3500)
      return unaryAnswer(call)
    })
  })
  const contents = [...'abcd'].map((letter) => letter.repeat(1000))
  const calls = contents.map((content) => store(content))
  await settled()
  stream().greet()
  stream().opening.onEnd(tooLarge(3500))
  assert.deepEqual(
    await Promise.all(calls),
    contents.map((content) => `oid of ${content}`)
  )
  assert.deepEqual([limits.maxBatchBytes, arrivals.length], [3500, 3])
  const later = contents.map((content) => store(content))
  await settled()
  assert.deepEqual(
    stream().sent.map(({ operations }) => operations.length),
    [2, 2]
  )
  stream().answer()
  await Promise.all(later)
})

test('an answer above maxResponseBytes does not lower the limits of requests, and the calls are answered in smaller batches', async () => {
  const { store, stream, limits, arrivals } = batchHarness()
  const calls = ['a', 'b'].map((content) => store(content))
  await settled()
  stream().greet()
  stream().opening.onEnd(
    new BlobwireError({ code: 'resource_exhausted', reason: 'response_too_large', message: 'x', sent: 'processed' })
  )
  assert.deepEqual(await Promise.all(calls), ['oid of a', 'oid of b'])
  assert.deepEqual([limits.maxBatchBytes, arrivals.length], [4 << 20, 1])
})

test('an operation that no frame has room for ends one session at most, and fails no other operation', async () => {
  const { store, stream, streams, arrivals } = batchHarness({
    respond: answering((call) => {
      const { content } = call.request as { content: Uint8Array }
      if (content.length > 3500) throw tooLarge(3500)
      return unaryAnswer(call)
    })
  })
  const neighbour = store('a')
  await settled()
  const large = store('x'.repeat(9000))
  await settled()
  stream().greet()
  stream().opening.onEnd(tooLarge(3500))
  await assert.rejects(large, { code: 'resource_exhausted' })
  assert.equal(await neighbour, 'oid of a')
  await assert.rejects(store('y'.repeat(9000)), { code: 'resource_exhausted' })
  assert.deepEqual([streams.length, arrivals.length], [1, 3], 'the second is not even tried on a session')
})

test('a batch of the application that no frame has room for fails with its limit, so that its maker can split the batch', async () => {
  const { store, run, stream, streams } = batchHarness({
    respond: answering((call) => {
      if ('operations' in call.request) throw tooLarge(3500)
      return unaryAnswer(call)
    })
  })
  const operations = ['x', 'y'].map((letter) => ({ storeBlob: { content: Buffer.from(letter.repeat(3000)) } }))
  const batch = () => run({ method: methods.batchOperations, request: { repository: 'demo', operations } })
  const first = batch()
  await settled()
  const neighbour = store('a')
  await settled()
  stream().greet()
  stream().opening.onEnd(tooLarge(3500))
  await assert.rejects(first, { code: 'resource_exhausted' })
  assert.equal(await neighbour, 'oid of a')
  await assert.rejects(batch(), { code: 'resource_exhausted' })
  assert.equal(streams.length, 1)
})

test('a session without work ends after 90 s, and the next call opens another', async () => {
  const { store, stream, streams, clock } = batchHarness()
  const first = store('a')
  await settled()
  stream().answer()
  await first
  clock.advance(60_000)
  const second = store('b')
  await settled()
  stream().answer(1)
  await second
  clock.advance(89_000)
  assert.equal(stream().ended, false, '90 s from its last use')
  clock.advance(11_000)
  assert.deepEqual([stream().ended, stream().destroyed], [true, false])
  const third = store('c')
  await settled()
  assert.equal(streams.length, 2)
  stream().answer()
  assert.equal(await third, 'oid of c')
})

test('a session with a frame in flight is not ended', async () => {
  const { store, stream, clock } = batchHarness()
  const call = store('a', { timeoutMs: 1_000_000 })
  await settled()
  stream().greet()
  clock.advance(500_000)
  assert.equal(stream().ended, false)
  stream().answer()
  await call
})
