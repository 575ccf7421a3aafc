/** Exceptions inside the client: each ends its own calls, and nothing is ever uncaught. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BlobwireError } from '../../src/core/error.ts'
import type { FakeStream } from '../support/fake-session.ts'
import { batchHarness, outcomes, pipelineHarness, settled } from '../support/pipeline-harness.ts'

/** A session whose encoder throws for frames with this content. */
function breakFor(content: string): (stream: FakeStream) => void {
  return (stream) => {
    const send = stream.send.bind(stream)
    stream.send = (batch) => {
      const isBroken = batch.operations.some((operation) => {
        const { storeBlob } = operation as { storeBlob?: { content: Uint8Array } }
        return Buffer.from(storeBlob?.content ?? []).toString() === content
      })
      if (isBroken) throw new TypeError('cannot write this')
      return send(batch)
    }
  }
}

test('an encoder that throws fails its own operation; the others of its frame are sent', async () => {
  const { store, stream, streams, batcher } = batchHarness({ onOpen: breakFor('b') })
  const ends = outcomes(['a', 'b', 'c'].map((content) => store(content)))
  await settled()
  assert.deepEqual(stream().frames, ['a', 'c'])
  stream().answer()
  const [a, b, c] = await ends
  assert.deepEqual([a, c], ['oid of a', 'oid of c'])
  const { code, reason, message, cause } = b as BlobwireError
  assert.deepEqual([code, reason], ['internal', 'internal_error'])
  assert.match(message, /^storeBlob at a: internal error of the client: cannot write this/)
  assert.ok(cause instanceof TypeError)
  // Nothing of the frame that was not sent stays in the window.
  const later = store('later')
  await settled()
  stream().answer(2)
  assert.equal(await later, 'oid of later')
  assert.deepEqual([streams.length, batcher.queued], [1, 0])
})

test('an exception outside of every call fails the calls that wait, and the next ones work', async () => {
  const limits = { maxBatchOperations: 1000 }
  const harness = batchHarness({ limits })
  let broken = true
  Object.defineProperty(harness.limits, 'maxBatchOperations', {
    get() {
      if (broken) throw new TypeError('no limit')
      return 1000
    }
  })
  const [first] = await outcomes([harness.store('a')])
  assert.equal((first as BlobwireError).reason, 'internal_error')
  broken = false
  const second = harness.store('b')
  await settled()
  harness.stream().answer()
  assert.equal(await second, 'oid of b')
})

test('without an interceptor, no exception is said to be of an interceptor', async () => {
  const failing = { respond: ({ fail }: { fail(error: Error): void }) => fail(new TypeError('oops')) }
  await assert.rejects(pipelineHarness(failing).read(), {
    code: 'internal',
    reason: 'internal_error',
    message: 'getBlob at a: internal error of the client: oops'
  })
  // Nor where there is one that only passes calls on.
  const interceptors = [async (request: never, next: (request: never) => Promise<never>) => next(request)]
  await assert.rejects(pipelineHarness({ ...failing, interceptors } as object).read(), { reason: 'internal_error' })
})
