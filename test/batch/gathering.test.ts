/** How calls become frames. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { methods } from '../../src/schema/methods.ts'
import { answering, batchHarness, settled } from '../support/pipeline-harness.ts'

test('a call is sent at once when nothing is under way, without a timer', async () => {
  const { store, stream, clock } = batchHarness()
  const call = store('a')
  await settled()
  assert.deepEqual(stream().frames, ['a'])
  stream().answer()
  assert.equal(await call, 'oid of a')
  assert.equal(clock.now(), 1000, 'no time has passed')
})

test('calls made together travel together; calls made while two frames are in flight gather into the next', async () => {
  const { store, stream, counters } = batchHarness()
  const calls = ['a', 'b', 'c'].map((content) => store(content))
  await settled()
  calls.push(store('d'))
  await settled()
  calls.push(store('e'))
  await settled()
  calls.push(store('f'))
  await settled()
  assert.deepEqual(stream().frames, ['a b c', 'd'], 'two in flight')
  stream().answer(0)
  await settled()
  assert.deepEqual(stream().frames, ['a b c', 'd', 'e f'])
  stream().answer(1, 2)
  assert.deepEqual(
    await Promise.all(calls),
    [...'abcdef'].map((content) => `oid of ${content}`)
  )
  assert.deepEqual([counters.sessions, counters.frames, counters.framedOperations], [1, 3, 6])
})

test('lingerMs holds back the first frame, and no other', async () => {
  const { store, stream, streams, clock } = batchHarness({ batch: { lingerMs: 5 } })
  const calls = [store('a')]
  await settled()
  clock.advance(3)
  calls.push(store('b'))
  await settled()
  clock.advance(1)
  calls.push(store('c'))
  await settled()
  assert.equal(streams.length, 0, 'not before 5 ms')
  clock.advance(1)
  await settled()
  assert.deepEqual(stream().frames, ['a b c'])
  calls.push(store('d'))
  await settled()
  assert.deepEqual(stream().frames, ['a b c', 'd'], 'something is under way: no waiting')
  stream().answer()
  await Promise.all(calls)
})

test('a frame that is full does not linger', async () => {
  const { store, stream } = batchHarness({ batch: { lingerMs: 5, maxOperations: 2 } })
  const calls = [store('a'), store('b'), store('c')]
  await settled()
  assert.deepEqual(stream().frames, ['a b', 'c'])
  stream().answer()
  await Promise.all(calls)
})

test('lingering begins again when nothing is under way any more', async () => {
  const { store, stream, clock } = batchHarness({ batch: { lingerMs: 5 } })
  const first = store('a')
  await settled()
  clock.advance(5)
  await settled()
  stream().answer(0)
  await first
  const second = store('b')
  await settled()
  assert.deepEqual(stream().frames, ['a'])
  clock.advance(5)
  await settled()
  stream().answer(1)
  assert.equal(await second, 'oid of b')
})

test('a frame has no more operations and no more bytes than its bounds', async () => {
  const { store, stream } = batchHarness({ batch: { maxOperations: 3, maxBytes: 2000, framesInFlight: 64 } })
  const small = Array.from({ length: 7 }, (_, index) => store(`${index}`))
  await settled()
  assert.deepEqual(stream().frames, ['0 1 2', '3 4 5'])
  stream().answer()
  await settled()
  stream().answer(2)
  await Promise.all(small)
  const large = Array.from({ length: 5 }, (_, index) => store(`${index}`.repeat(900)))
  await settled()
  stream().answer(3, 4)
  await settled()
  const sizes = stream()
    .sent.slice(3)
    .map(({ operations }) => operations.length)
  assert.deepEqual(sizes, [2, 2, 1])
  stream().answer(5)
  await Promise.all(large)
  const unbatchable = store('x'.repeat(5000))
  await settled()
  assert.equal(stream().sent.at(-1)?.operations.length, 1, 'larger than a frame: alone')
  stream().answer(6)
  await unbatchable
})

test('a frame has at most half of the operations under way, those in flight included', async () => {
  const { store, stream } = batchHarness()
  const calls = Array.from({ length: 100 }, (_, index) => store(`${index}`))
  const sizes = () => stream().sent.map(({ operations }) => operations.length)
  await settled()
  assert.deepEqual(sizes(), [50, 50], 'half of 100 wait, then 50 wait and 50 are in flight')
  calls.push(...Array.from({ length: 100 }, (_, index) => store(`${index}`)))
  await settled()
  stream().answer(0)
  await settled()
  assert.deepEqual(sizes(), [50, 50, 75], '100 wait and 50 are in flight')
  stream().answer(1)
  await settled()
  assert.deepEqual(sizes(), [50, 50, 75, 25], 'no more wait')
  stream().answer(2, 3)
  await Promise.all(calls)
})

test('half of a few operations is no frame: up to 16 travel together', async () => {
  const { store, stream } = batchHarness()
  const calls = Array.from({ length: 20 }, (_, index) => store(`${index}`))
  await settled()
  assert.deepEqual(
    stream().sent.map(({ operations }) => operations.length),
    [16, 4]
  )
  stream().answer()
  await Promise.all(calls)
})

test("the server's limits count where they are lower", async () => {
  const { store, stream } = batchHarness({ limits: { maxBatchOperations: 2 } })
  const calls = Array.from({ length: 4 }, (_, index) => store(`${index}`))
  await settled()
  assert.deepEqual(stream().frames, ['0 1', '2 3'])
  stream().answer()
  await Promise.all(calls)
})

test('slow operations and batches of the application travel alone in frames outside the window', async () => {
  const { store, run, stream } = batchHarness()
  const first = store('a')
  await settled()
  const repository = 'demo'
  const operations = ['x', 'y'].map((content) => ({ storeBlob: { content: Buffer.from(content) } }))
  const calls = [
    store('b'),
    run({ method: methods.compare, request: { repository, base: 'v1', head: 'v2' } }),
    store('c'),
    run({ method: methods.batchOperations, request: { repository, operations } }),
    store('d'),
    store('e')
  ]
  await settled()
  assert.deepEqual(stream().frames, ['a', 'compare', 'x y', 'b c d e'])
  stream().answer()
  await Promise.all([first, ...calls])
  assert.deepEqual(await calls[3], {
    results: [{ storeBlob: { oid: 'oid of x', size: 1 } }, { storeBlob: { oid: 'oid of y', size: 1 } }]
  })
})

test('slow operations in flight hold up no other call, and are limited only by each other', async () => {
  const { store, run, stream } = batchHarness({ batch: { framesInFlight: 2 } })
  const slow = Array.from({ length: 3 }, () =>
    run({ method: methods.compare, request: { repository: 'demo', base: 'v1', head: 'v2' } })
  )
  await settled()
  assert.deepEqual(stream().frames, ['compare', 'compare'])
  const call = store('a')
  await settled()
  assert.deepEqual(stream().frames, ['compare', 'compare', 'a'])
  stream().answer(2)
  assert.equal(await call, 'oid of a')
  stream().answer(0)
  await settled()
  assert.equal(stream().frames.at(-1), 'compare')
  stream().answer(1, 3)
  await Promise.all(slow)
})

test('nothing is sent to a peer without room until the peer has drained', async () => {
  const { store, stream } = batchHarness({
    onOpen: (opened) => {
      opened.hasRoom = false
    }
  })
  const calls = [store('a')]
  await settled()
  calls.push(store('b'))
  await settled()
  assert.deepEqual(stream().frames, ['a'])
  stream().opening.onDrain()
  await settled()
  assert.deepEqual(stream().frames, ['a', 'b'])
  stream().answer()
  await Promise.all(calls)
})

test('atomic batches and calls that are no operation are single requests, which the counters tell', async () => {
  const { run, arrivals, streams, counters } = batchHarness({ respond: answering(() => ({ results: [] })) })
  const operations = [{ getBlob: { oid: 'a' } }]
  await run({ method: methods.batchOperations, request: { repository: 'demo', operations, atomic: true } })
  await run({ method: methods.getCapabilities })
  assert.deepEqual([arrivals.length, streams.length], [2, 0])
  assert.deepEqual(counters.unframed, { method: 1, atomic: 1, tooLarge: 0, headers: 0, tokens: 0 })
})
