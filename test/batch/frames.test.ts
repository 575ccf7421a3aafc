/** Frames of several repositories, and of operations with headers of their own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlobwireError } from '../../src/core/error.ts'
import { methods } from '../../src/schema/methods.ts'
import { batchHarness, settled } from '../support/pipeline-harness.ts'

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
