/** Each result settles its own call. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BlobwireError } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { errorDetail, operationError } from '../support/fake-session.ts'
import { batchHarness, outcomes, settled } from '../support/pipeline-harness.ts'
import { randomNumbers } from '../support/random.ts'

type Result = Messages['SessionResult']

test('results out of order, in pieces, over several frames', async () => {
  const { store, stream } = batchHarness({ batch: { maxOperations: 10 } })
  const random = randomNumbers(3)
  const contents = Array.from({ length: 20 }, (_, index) => `content-${index}`)
  const calls = contents.map((content) => store(content))
  await settled()
  const left = [...stream().resultsOf(0), ...stream().resultsOf(1)]
  while (left.length > 0) {
    const some = Array.from({ length: Math.min(left.length, 1 + random(4)) }, () => {
      return left.splice(random(left.length), 1)[0] as Messages['SessionResult']
    })
    stream().respond(some)
  }
  assert.deepEqual(
    await Promise.all(calls),
    contents.map((content) => `oid of ${content}`)
  )
})

test('each call has its own error', async () => {
  const { store, stream } = batchHarness()
  const calls = ['a', 'b', 'c'].map((content) => store(content))
  await settled()
  const results = stream().resultsOf(0)
  results[1] = { id: results[1]?.id ?? 0, result: { error: operationError({ code: 'not_found' }) } }
  stream().respond(results)
  const ends = await outcomes(calls)
  assert.deepEqual([ends[0], ends[2]], ['oid of a', 'oid of c'])
  await assert.rejects(calls[1] as Promise<string>, {
    code: 'not_found',
    sent: 'processed',
    attempts: 1,
    transport: 'msgpack'
  })
})

const lies: Readonly<Record<string, (ids: number[]) => number[]>> = {
  'an id nobody has': (ids) => [...ids, 999_999],
  'id 0': () => [0],
  'an id that was answered already': ([first = 0]) => [first, first],
  'an id of a frame that was answered long ago': () => [1],
  'a negative id': () => [-1]
}

for (const [name, lie] of Object.entries(lies)) {
  test(`${name}: malformed_response for what was in flight, the session is left, and the next call works`, async () => {
    const { store, stream, streams } = batchHarness()
    const before = store('before')
    await settled()
    stream().answer()
    await before
    const calls = ['a', 'b'].map((content) => store(content))
    await settled()
    const results = stream().resultsOf(1)
    const response = lie(results.map(({ id }) => id)).map((id) => {
      return results.find((result) => result.id === id) ?? ({ id, result: results[1]?.result } as (typeof results)[0])
    })
    stream().respond(response)
    for (const [index, end] of (await outcomes(calls)).entries()) {
      if (typeof end === 'string') assert.equal(end, `oid of ${'ab'[index]}`)
      else assert.deepEqual([end.code, end.reason, end.sent], ['internal', 'malformed_response', 'processed'])
    }
    assert.equal(stream().destroyed, true)
    const next = store('c')
    await settled()
    assert.equal(streams.length, 2)
    stream().answer()
    assert.equal(await next, 'oid of c')
  })
}

test('malformed_response fails the frame with the wrong result; other frames in flight move to another session', async () => {
  const { store, stream, streams } = batchHarness()
  const calls = ['a', 'b'].map((content) => store(content))
  await settled()
  const allEnds = outcomes([...calls, store('c')])
  await settled()
  assert.deepEqual(stream().frames, ['a b', 'c'])
  const [first] = stream().resultsOf(0) as [Messages['SessionResult']]
  stream().respond([first, first])
  await settled()
  assert.equal(streams.length, 2)
  assert.deepEqual(stream().frames, ['c'])
  stream().answer()
  const ends = await allEnds
  assert.equal((ends[1] as BlobwireError).reason, 'malformed_response')
  assert.deepEqual([ends[0], ends[2]], ['oid of a', 'oid of c'])
})

test('a result of another kind, or of none, is malformed_response for that call alone', async () => {
  const { store, stream } = batchHarness()
  const calls = ['a', 'b', 'c'].map((content) => store(content))
  await settled()
  const results = stream().resultsOf(0)
  const [first, second] = results as [Messages['SessionResult'], Messages['SessionResult']]
  first.result = { getBlob: {} } as unknown as Messages['OperationResult']
  second.result = undefined
  stream().respond(results)
  const ends = await outcomes(calls)
  for (const end of ends.slice(0, 2)) assert.equal((end as BlobwireError).reason, 'malformed_response')
  assert.equal(ends[2], 'oid of c')
})

test('batch_response_full: those calls are sent again, and the frame that was too much does not fail them', async () => {
  const { store, stream } = batchHarness()
  const calls = ['a', 'b', 'c'].map((content) => store(content))
  await settled()
  const full = operationError({
    code: 'resource_exhausted',
    detail: errorDetail({ reason: 'batch_response_full', retryable: true })
  })
  const results = stream().resultsOf(0)
  stream().respond(results.map((result, index) => (index === 0 ? result : { id: result.id, result: { error: full } })))
  await settled()
  assert.deepEqual(stream().frames, ['a b c', 'b c'])
  stream().answer(1)
  assert.deepEqual(await Promise.all(calls), ['oid of a', 'oid of b', 'oid of c'])
})

test('a requeued operation is cancelled under its new id', async () => {
  const { store, stream } = batchHarness()
  const controller = new AbortController()
  const calls = [store('a'), store('b', { signal: controller.signal }), store('c')]
  await settled()
  const detail = errorDetail({ reason: 'batch_response_full', retryable: true })
  const [first, second, third] = stream().resultsOf(0) as [Result, Result, Result]
  const full = { error: operationError({ code: 'resource_exhausted', detail }) } as Messages['OperationResult']
  stream().respond([first, { id: second.id, result: full }])
  await settled()
  assert.deepEqual(stream().frames, ['a b c', 'b'])
  controller.abort()
  await assert.rejects(calls[1] as Promise<string>, { code: 'cancelled' })
  await settled()
  assert.deepEqual(stream().cancelled, [stream().resultsOf(1)[0]?.id])
  stream().respond([third])
  await outcomes(calls)
})

test('max_batch_operations is learned: the frame is cut, and later ones are smaller', async () => {
  const { store, stream, limits } = batchHarness()
  const calls = ['a', 'b', 'c'].map((content) => store(content))
  await settled()
  const limit = { limit: 'max_batch_operations', maximum: 2, actual: 3 }
  stream().fail(0, { code: 'resource_exhausted', detail: errorDetail({ limit }) })
  await settled()
  assert.equal(limits.maxBatchOperations, 2)
  assert.deepEqual(
    stream()
      .frames.slice(1)
      .map((frame) => frame.split(' ').length),
    [2, 1]
  )
  stream().answer(1, 2)
  assert.deepEqual(await Promise.all(calls), ['oid of a', 'oid of b', 'oid of c'])
})

test('a batch of the application that is too large fails with its limit, so that its maker can split the batch', async () => {
  const { run, stream } = batchHarness()
  const operations = ['x', 'y', 'z'].map((content) => ({ storeBlob: { content: Buffer.from(content) } }))
  const call = run({ method: methods.batchOperations, request: { repository: 'demo', operations } })
  await settled()
  const limit = { limit: 'max_batch_operations', maximum: 2, actual: 3 }
  stream().fail(0, { code: 'resource_exhausted', detail: errorDetail({ limit }) })
  await assert.rejects(call, { code: 'resource_exhausted' })
})

test('the results of one batch may come in several messages', async () => {
  const { run, stream } = batchHarness()
  const operations = ['x', 'y', 'z'].map((content) => ({ storeBlob: { content: Buffer.from(content) } }))
  const call = run({ method: methods.batchOperations, request: { repository: 'demo', operations } })
  await settled()
  for (const result of stream().resultsOf(0).toReversed()) stream().respond([result])
  const { results } = (await call) as Messages['BatchOperationsResponse']
  assert.deepEqual(
    results.map(({ storeBlob }) => storeBlob?.oid),
    ['oid of x', 'oid of y', 'oid of z']
  )
})
