/** Frames of several repositories, and of operations with headers of their own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlobwireError } from '../../src/core/error.ts'
import { methods } from '../../src/schema/methods.ts'
import { errorDetail } from '../support/fake-session.ts'
import { batchHarness, outcomes, settled } from '../support/pipeline-harness.ts'

test('a frame has one batch for each repository, with ids that follow each other, and repositories take turns', async () => {
  const { store, stream } = batchHarness({ batch: { maxOperations: 3 } })
  const names = ['x', 'y', 'x', 'x', 'x', 'x', 'y', 'z']
  const calls = names.map((repository, index) => store(`${repository}${index}`, { repository }))
  for (let place = 0; place < 3; place++) {
    await settled()
    stream().answer(place)
  }
  await Promise.all(calls)
  assert.deepEqual(stream().frames, ['x0 x2 x3', 'y1 y6 z7', 'x4 x5'])
  const batches = stream().sent.map(({ batches }) => batches.map(({ repository, firstId }) => [repository, firstId]))
  assert.deepEqual(batches, [
    [['x', 1]],
    [
      ['y', 4],
      ['z', 6]
    ],
    [['x', 7]]
  ])
})

test('a repository with many waiting operations leaves room in the frame for the others', async () => {
  const { store, stream } = batchHarness({ batch: { maxOperations: 20 } })
  const calls = Array.from({ length: 30 }, (_unused, index) => store(`x${index}`, { repository: 'x' }))
  calls.push(store('y', { repository: 'y' }))
  await settled()
  const [first] = stream().sent
  const sizes = first?.batches.map(({ repository, operations }) => [repository, operations.length])
  assert.deepEqual(sizes, [
    ['x', 15],
    ['y', 1]
  ])
  stream().answer()
  await settled()
  stream().answer(...stream().sent.keys())
  await Promise.all(calls)
})

test('a repository whose results are late holds up neither the others nor the window', async () => {
  const { store, stream } = batchHarness()
  const calls = ['slow', 'fast'].map((repository) => store(repository, { repository }))
  await settled()
  for (let round = 0; round < 5; round++) {
    stream().respond(
      stream()
        .resultsOf(round)
        .slice(round === 0 ? 1 : 0)
    )
    calls.push(store(`fast ${round}`, { repository: 'fast' }), store(`slow ${round}`, { repository: 'slow' }))
    await settled()
  }
  assert.deepEqual(stream().frames, ['slow fast', 'fast 0', 'fast 1', 'fast 2', 'fast 3', 'fast 4'])
  stream().respond(stream().resultsOf(0).slice(0, 1))
  await settled()
  assert.deepEqual(stream().frames.at(-1), 'slow 0 slow 1 slow 2 slow 3 slow 4')
  stream().answer(5, 6)
  await Promise.all(calls)
})

test("operations travel with headers of their own, equal ones once; the client's own stay with the session", async () => {
  const headers = { 'x-team': 'docs' }
  const { store, run, stream, counters } = batchHarness({ headers })
  const traced = (traceparent: string) => ({ headers: { ...headers, traceparent } })
  const calls = [
    store('a', { ...traced('1'), repository: 'x' }),
    store('b', { headers, repository: 'x' }),
    store('c', { ...traced('2'), repository: 'y' }),
    store('d', { ...traced('1'), repository: 'y' }),
    store('e', { headers: { ...headers }, repository: 'z' })
  ]
  await settled()
  const list = (value: string) => ({ headers: [{ name: 'traceparent', value }] })
  const [frame] = stream().sent
  assert.deepEqual(frame?.headerLists, [list('1'), list('2')])
  assert.deepEqual(
    frame?.batches.map(({ headerLists }) => headerLists),
    [[1, 0], [2, 1], []]
  )
  const operations = ['f', 'g'].map((content) => ({ storeBlob: { content: Buffer.from(content) } }))
  const batch = run({ method: methods.batchOperations, request: { repository: 'x', operations }, ...traced('3') })
  await settled()
  assert.deepEqual(stream().sent[1]?.batches[0]?.headerLists, [1, 1], 'a batch has the headers of its call')
  stream().answer()
  await Promise.all([...calls, batch])
  assert.deepEqual(Object.values(counters.unframed), [0, 0, 0, 0, 0])
})

test('headers count in the size of a frame and of an operation', async () => {
  const limits = { maxBatchBytes: 4000 }
  const { store, stream, arrivals, counters } = batchHarness({ limits })
  const big = (length: number) => ({ headers: { 'x-big': 'b'.repeat(length) } })
  const calls = [store('a', big(1800)), store('b', big(1800)), store('c', big(4000))]
  await settled()
  assert.deepEqual(stream().frames, ['a', 'b'])
  assert.deepEqual([arrivals.length, counters.unframed.tooLarge], [1, 1])
  stream().answer()
  await Promise.all(calls)
})

test('without a session, calls with equal headers share a request and others do not', async () => {
  const { store, stream, arrivals } = batchHarness()
  const warm = store('warm')
  await settled()
  stream().opening.onEnd(new BlobwireError({ code: 'unimplemented', message: 'no sessions' }))
  await warm
  const calls = ['1', '2', '1'].map((traceparent, index) => store(`${index}`, { headers: { traceparent } }))
  await Promise.all(calls)
  const sent = arrivals.slice(1).map(({ call }) => [call.method.name, call.headers['traceparent']])
  assert.deepEqual(sent, [
    ['BatchOperations', '1'],
    ['StoreBlob', '2']
  ])
})

test('an older server that knows no frames of several batches gets plain frames, and calls with headers as requests', async () => {
  const { store, stream, streams, counters } = batchHarness()
  const headers = { traceparent: '1' }
  const calls = [store('a', { repository: 'x' }), store('b', { repository: 'y' }), store('c', { headers })]
  await settled()
  stream().greet()
  assert.deepEqual(stream().frames, ['a b c'])
  const violations = [{ field: 'frame', description: 'must be batch or cancel' }]
  stream().opening.onEnd(new BlobwireError({ code: 'invalid_argument', message: 'frame', details: { violations } }))
  await settled()
  assert.equal(streams.length, 2)
  stream().greet()
  stream().answer()
  await settled()
  assert.deepEqual(stream().frames, ['a', 'b'])
  stream().answer(1)
  assert.deepEqual(await Promise.all(calls), ['oid of a', 'oid of b', 'oid of c'])
  assert.equal(await store('d', { headers }), 'oid of d')
  assert.equal(counters.unframed.headers, 2)
})

test('a peer that refuses frames of several batches in other words fails their calls, at once and for good', async () => {
  const { store, stream, streams } = batchHarness()
  const calls = ['x', 'y'].map((repository) => store(repository, { repository }))
  await settled()
  stream().greet()
  stream().opening.onEnd(new BlobwireError({ code: 'invalid_argument', message: 'no such frame' }))
  for (const end of await outcomes(calls)) assert.equal((end as BlobwireError).message, 'storeBlob at a: no such frame')
  assert.equal(streams.length, 1)
})

test('frames of several repositories are sent again when their session breaks: unanswered operations alone', async () => {
  const { store, stream } = batchHarness()
  const headers = { traceparent: '1' }
  const calls = ['x', 'y', 'z'].map((repository) => store(repository, { repository, headers }))
  await settled()
  stream().respond(stream().resultsOf(0).slice(1, 2))
  stream().opening.onEnd(new BlobwireError({ code: 'unavailable', message: 'reset', sent: 'maybe' }))
  await settled()
  const [again] = stream().sent
  assert.deepEqual(
    again?.batches.map(({ repository, headerLists }) => [repository, headerLists]),
    [
      ['x', [1]],
      ['z', [1]]
    ]
  )
  stream().answer()
  assert.deepEqual(await Promise.all(calls), ['oid of x', 'oid of y', 'oid of z'])
})

test('the operations of a frame above the limit of operations are sent again in smaller frames', async () => {
  const { store, stream, limits } = batchHarness()
  const calls = ['x', 'x', 'y', 'y'].map((repository, index) => store(`${index}`, { repository }))
  await settled()
  const detail = errorDetail({ limit: { limit: 'max_batch_operations', maximum: 3, actual: 4 } as never })
  stream().fail(0, { code: 'resource_exhausted', detail })
  await settled()
  assert.equal(limits.maxBatchOperations, 3)
  assert.deepEqual(
    stream()
      .frames.slice(1)
      .map((frame) => frame.split(' ').length),
    [3, 1]
  )
  stream().answer(1, 2)
  assert.deepEqual(new Set(await Promise.all(calls)).size, 4)
})

test('calls with a token of their own share a session of that token', async () => {
  const { store, streams, stream, counters } = batchHarness({ token: 'main' })
  const calls = [store('a'), store('b', { token: 'guest' }), store('c', { token: 'guest' })]
  await settled()
  const opened = streams.map(({ opening, frames }) => [opening.headers['authorization'], ...frames])
  assert.deepEqual(
    opened.toSorted(([left = ''], [right = '']) => (left < right ? -1 : 1)),
    [
      ['Bearer guest', 'b c'],
      ['Bearer main', 'a']
    ]
  )
  streams[0]?.answer()
  stream().answer()
  await Promise.all(calls)
  assert.deepEqual(Object.values(counters.unframed), [0, 0, 0, 0, 0])
})

test('the number of sessions of tokens is bounded: idle ones give way, calls beyond that are requests', async () => {
  const { store, streams, arrivals, counters } = batchHarness()
  const calls = Array.from({ length: 33 }, (_unused, index) => store(`${index}`, { token: `t${index}` }))
  await settled()
  assert.deepEqual([streams.length, arrivals.length, counters.unframed.tokens], [32, 1, 1])
  assert.equal(arrivals[0]?.call.headers['authorization'], 'Bearer t32')
  streams[5]?.answer()
  await calls[5]
  const later = store('later', { token: 'other' })
  await settled()
  assert.deepEqual([streams[5]?.destroyed, streams.length], [true, 33])
  for (const stream of streams) if (!stream.destroyed) stream.answer()
  await Promise.all([...calls, later])
})

test('a token that a request interceptor sets is for the session, not for a frame', async () => {
  const { store, stream } = batchHarness({
    interceptors: [
      (request, next) => next({ ...request, headers: { ...request.headers, authorization: 'Bearer own' } })
    ]
  })
  const call = store('a')
  await settled()
  assert.equal(stream().opening.headers['authorization'], 'Bearer own')
  assert.deepEqual(stream().sent[0]?.headerLists, [])
  stream().answer()
  await call
})

test('headers that no frame can carry leave the session and are counted', async () => {
  const { store, streams, counters } = batchHarness({
    headers: { 'x-team': 'docs' },
    interceptors: [(request, next) => next({ ...request, headers: { 'user-agent': 'mine' } })]
  })
  assert.equal(await store('a'), 'oid of a')
  assert.deepEqual([streams.length, counters.unframed.headers], [0, 1])
})
