/** Background calls yield to interactive ones: at the bulkhead, in the queue for frames, and where something is shed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlobwireError } from '../../src/core/error.ts'
import { createClient } from '../../src/index.ts'
import { batchHarness, outcomes, pipelineHarness, settled } from '../support/pipeline-harness.ts'

const background = { isBackground: true }
const shed = { code: 'resource_exhausted', reason: 'shed', sent: 'never', retryable: false, attempts: 0 }

test('of calls that wait, four interactive ones begin for each background one, and either kind alone has all turns', async () => {
  const { run, last } = pipelineHarness({ concurrency: { maxCalls: 1, maxQueued: 100 } })
  const named = (name: string, count: number, options = {}) =>
    Array.from({ length: count }, () => run({ request: { name }, ...options }))
  const calls = [...named('i', 1), ...named('b', 5, background), ...named('i', 11)]
  const order: string[] = []
  for (let turn = 0; turn < calls.length; turn++) {
    await settled()
    order.push((last().call.request as { name: string }).name)
    last().answer()
  }
  await Promise.all(calls)
  assert.equal(order.join(''), 'iiiiibiiiibiiibbb')
})

test('where the queue is full, the last background call makes room, and a further one is shed at once', async () => {
  const { read, counters, arrivals, pipeline } = pipelineHarness({ concurrency: { maxCalls: 1, maxQueued: 3 } })
  const running = read()
  const waiting = [read(background), read(background), read()]
  await assert.rejects(read(background), shed)
  const interactive = [read()]
  await assert.rejects(waiting[1] as Promise<object>, shed)
  interactive.push(read())
  await assert.rejects(waiting[0] as Promise<object>, shed)
  await assert.rejects(read(), { reason: 'queue_full' })
  assert.deepEqual([counters.shed, counters.failures, pipeline.bulkhead.queued], [3, 4, 3])
  const all = Promise.all([running, waiting[2], ...interactive])
  for (let turn = 0; turn < 4; turn++) {
    await settled()
    arrivals[turn]?.answer()
  }
  await all
})

test('a call that leaves the queue is not shed a second time, and its place is free', async () => {
  const { read, pipeline } = pipelineHarness({ concurrency: { maxCalls: 1, maxQueued: 2 } })
  const controller = new AbortController()
  const ends = [read(), read(background), read({ ...background, signal: controller.signal })]
  controller.abort()
  const [, , aborted] = await Promise.allSettled([1, 1, ends[2]])
  assert.equal((aborted as PromiseRejectedResult).reason.code, 'cancelled')
  assert.equal(pipeline.bulkhead.queued, 1)
  ends.push(read(), read())
  await assert.rejects(ends[1] as Promise<object>, shed)
  const others = Promise.allSettled(ends)
  await pipeline.close()
  await others
})

test('interactive operations go first into frames, and each fifth frame begins with background ones', async () => {
  const { store, stream } = batchHarness({ batch: { maxOperations: 2, framesInFlight: 1 } })
  const calls = [store('first')]
  await settled()
  for (let index = 0; index < 5; index++) calls.push(store(`b${index}`, background))
  for (let index = 0; index < 11; index++) calls.push(store(`i${index}`))
  for (let place = 0; place < 10; place++) {
    await settled()
    if (stream().sent.length > place) stream().answer(place)
  }
  await Promise.all(calls)
  assert.deepEqual(stream().frames, ['first', 'i0 i1', 'i2 i3', 'i4 i5', 'i6 i7', 'b0 b1', 'i8 i9', 'i10 b2', 'b3 b4'])
})

test('operations of one repository stand together in a frame, whatever their priority', async () => {
  const { store, stream } = batchHarness({ batch: { framesInFlight: 1 } })
  const calls = [store('first')]
  await settled()
  calls.push(store('b1', { ...background, repository: 'x' }), store('i1', { repository: 'x' }))
  calls.push(store('i2', { repository: 'y' }), store('b2', { ...background, repository: 'y' }))
  stream().answer(0)
  await settled()
  assert.deepEqual(
    stream().sent[1]?.batches.map(({ repository, operations }) => [repository, operations.length]),
    [
      ['x', 2],
      ['y', 2]
    ]
  )
  assert.equal(stream().frames[1], 'i1 b1 i2 b2')
  stream().answer(1)
  await Promise.all(calls)
})

test('a queue that is full of operations or bytes sheds background operations first', async () => {
  const { store, stream } = batchHarness({ batch: { maxQueued: 3, maxQueuedBytes: 10_000, framesInFlight: 1 } })
  const frames = () => stream().frames.map((frame) => frame.replace(/x{9500}/, 'large'))
  const first = store('first')
  await settled()
  const waiting = [store('b0', background), store('b1', background), store('i0')]
  await settled()
  await assert.rejects(store('b2', background), shed)
  const next = store('i1')
  await assert.rejects(waiting[1] as Promise<string>, shed)
  const large = store('x'.repeat(9500))
  const [b0] = await outcomes([waiting[0] as Promise<string>])
  assert.equal((b0 as BlobwireError).reason, 'shed')
  await settled()
  await assert.rejects(store('i2'), { reason: 'queue_full' })
  for (let place = 0; place < 2; place++) {
    stream().answer(place)
    await settled()
  }
  await Promise.all([first, waiting[2], next, large])
  assert.deepEqual(frames(), ['first', 'i0 i1 large'])
})

test("the priority of a call is its own or the client's, and is one of two words", async (context) => {
  const client = createClient({
    endpoint: 'http://127.0.0.1:9',
    priority: 'background',
    retry: false,
    concurrency: { maxCalls: 1, maxQueued: 0 }
  })
  context.after(() => client.close())
  const running = client.getRepository('demo').catch(() => undefined)
  await assert.rejects(client.getRepository('demo'), { reason: 'shed' })
  await assert.rejects(client.getRepository('demo', { priority: 'interactive' }), { reason: 'queue_full' })
  const wrong = { priority: 'low' as 'background' }
  await assert.rejects(client.getRepository('demo', wrong), {
    code: 'invalid_argument',
    message: /priority: must be interactive or background, not "low"/
  })
  assert.throws(() => createClient({ endpoint: 'http://127.0.0.1:9', ...wrong }), BlobwireError)
  assert.equal(client.stats().shed, 1)
  await running
})
