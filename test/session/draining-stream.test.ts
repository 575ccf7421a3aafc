/** A session whose connection drains goes on with another stream; no operation is lost or sent twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeStream } from '../support/fake-session.ts'
import { batchHarness, outcomes, type PipelineHarnessOptions, settled } from '../support/pipeline-harness.ts'

/** A pipeline with one call in flight on an established session. */
async function underWay(options: PipelineHarnessOptions = {}) {
  const made = batchHarness(options)
  const first = made.store('a')
  await settled()
  made.stream().greet()
  return { ...made, old: made.stream(), first }
}

test('new calls take the new stream; calls in flight are answered on the draining one, which ends', async () => {
  const { store, streams, old, first, counters } = await underWay()
  old.opening.onGoaway()
  await settled()
  const [, next] = streams as [FakeStream, FakeStream]
  assert.deepEqual([streams.length, old.ended, old.destroyed], [2, true, false])
  const second = store('b')
  await settled()
  assert.deepEqual([old.frames, next.frames], [['a'], ['b']])
  next.answer()
  old.answer()
  old.opening.onEnd(undefined)
  assert.deepEqual(await outcomes([first, second]), ['oid of a', 'oid of b'])
  assert.deepEqual([next.ended, next.destroyed, counters.resent, counters.sessions], [false, false, 0, 2])
})

test('a second GOAWAY, or one of a stream that was left, opens no third stream', async () => {
  const { streams, old, first } = await underWay()
  old.opening.onGoaway()
  old.opening.onGoaway()
  await settled()
  old.opening.onGoaway()
  await settled()
  assert.equal(streams.length, 2)
  old.answer()
  await first
})

test('when a draining stream ends with an answer outstanding, everything is sent again', async () => {
  const { streams, old, first, counters } = await underWay()
  old.opening.onGoaway()
  await settled()
  old.opening.onEnd(undefined)
  await settled()
  assert.equal(streams[1]?.destroyed, true)
  const last = streams.at(-1) as FakeStream
  assert.deepEqual([streams.length, last.frames, counters.resent], [3, ['a'], 1])
  last.answer()
  assert.equal(await first, 'oid of a')
})

test('after a new stream that breaks before its first frame, everything is sent again', async () => {
  const { streams, old, first } = await underWay({
    onOpen: (stream, opened) => {
      if (opened === 2) stream.opening.onEnd(undefined)
    }
  })
  old.opening.onGoaway()
  await settled()
  assert.equal(old.destroyed, true)
  const last = streams.at(-1) as FakeStream
  assert.deepEqual([streams.length, last.frames], [3, ['a']])
  last.answer()
  assert.equal(await first, 'oid of a')
})

test('where no new stream can be opened, the draining one is used on', async () => {
  let tokens = 0
  const token = () => {
    if (++tokens === 2) throw new Error('no token')
    return 'token'
  }
  const { store, streams, old, first } = await underWay({ token })
  old.opening.onGoaway()
  await settled()
  const second = store('b')
  await settled()
  assert.deepEqual([streams.length, old.frames, old.ended], [1, ['a', 'b'], false])
  old.answer()
  assert.deepEqual(await outcomes([first, second]), ['oid of a', 'oid of b'])
})

test('closing destroys both streams', async () => {
  const { pipeline, streams, old, first } = await underWay()
  const ends = outcomes([first])
  old.opening.onGoaway()
  await settled()
  pipeline.close()
  assert.deepEqual(
    streams.map(({ destroyed }) => destroyed),
    [true, true]
  )
  const [error] = await ends
  assert.equal((error as { reason: string }).reason, 'client_closed')
})

test('closing while the new stream is being opened destroys that stream too', async () => {
  const { pipeline, streams, old, first } = await underWay()
  const ends = outcomes([first])
  old.opening.onGoaway()
  pipeline.close()
  await settled()
  assert.deepEqual(
    streams.map(({ destroyed }) => destroyed),
    streams.map(() => true)
  )
  await ends
})
