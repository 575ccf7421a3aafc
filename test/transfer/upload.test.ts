/** Uploads that are cut, from every kind of source: on a fake clock, to a server without sockets. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { BlobwireError } from '../../src/core/error.ts'
import { hashObject } from '../../src/git/oid.ts'
import { openSource } from '../../src/transfer/source.ts'
import type { UploadSource } from '../../src/transfer/source-kinds.ts'
import { Upload, type UploadPlan } from '../../src/transfer/upload.ts'
import { cutError, FakeUploads } from '../support/fake-uploads.ts'
import { pipelineHarness, settled } from '../support/pipeline-harness.ts'

const chunkBytes = 1000
const keptBytes = 200_000
const content = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7) % 251))
const oid = hashObject('blob', content, 'sha1')

async function harness(source: UploadSource, plan: Partial<UploadPlan> = {}) {
  const server = new FakeUploads()
  const { pipeline, clock, counters } = pipelineHarness({ connect: server.connect })
  const opened = await openSource(source)
  const upload = new Upload({
    clock,
    repository: 'demo',
    uploadId: 'id',
    isResumed: false,
    source: opened,
    size: opened.size,
    format: 'sha1',
    oid: '',
    isHashed: false,
    chunkBytes,
    keptBytes,
    maxBlobBytes: 1e9,
    onOffset: () => undefined,
    onPosition: () => undefined,
    ...plan
  })
  const transfer = { direction: 'up', headers: {}, stallTimeoutMs: 30_000 } as const
  /** Runs it; the clock goes on while it waits. */
  const run = async () => {
    let isOver = false
    const result = pipeline.transfers
      .work(transfer, (attempts) => upload.run(attempts))
      .finally(() => {
        isOver = true
        upload.close()
      })
    result.catch(() => undefined)
    while (!isOver) {
      await settled()
      clock.advance(20)
    }
    return result
  }
  return { run, server, clock, counters, upload }
}

const pieces = function* (bytes: Uint8Array, length: number) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}
const iterable = (length = 1000): AsyncIterable<Uint8Array> =>
  (async function* () {
    yield* pieces(content, length)
  })()

const sources: Record<string, () => UploadSource> = {
  bytes: () => content,
  blob: () => new Blob([content]),
  'a function of streams': () => () => Readable.from(pieces(content, 700)),
  'a function of promises of web streams': () => async () => new Blob([content]).stream(),
  'a Node stream': () => Readable.from(pieces(content, 700)),
  'a web stream': () => new Blob([content]).stream(),
  'an async iterable of small pieces': () => iterable(50)
}

for (const [name, make] of Object.entries(sources)) {
  for (const knowsSize of [true, false]) {
    test(`${name}, cut ten times, ${knowsSize ? 'with' : 'without'} a known size`, async () => {
      const { run, server, counters } = await harness(make(), { size: knowsSize ? content.length : undefined })
      let cuts = 0
      server.onChunk = ({ bytes }) => {
        if (cuts < 10 && bytes >= cuts * 9000) {
          cuts++
          throw cutError()
        }
      }
      assert.deepEqual(await run(), { oid, size: content.length })
      assert.ok(server.content('id').equals(content))
      assert.equal(counters.transfers.retries, 10)
      assert.equal(server.queries, 10)
      // What was lost is the chunk of each cut.
      assert.ok(server.received - content.length <= 10 * 65_536, `${server.received}`)
    })
  }
}

test('a lost answer is asked for, and nothing is sent again', async () => {
  const { run, server } = await harness(content)
  server.onComplete = (attempt) => {
    if (attempt === 1) throw cutError()
  }
  assert.deepEqual(await run(), { oid, size: content.length })
  assert.deepEqual([server.received, server.queries], [content.length, 1])
})

test('an upload that the server has lost begins anew, where the source can', async () => {
  for (const [source, expected] of [
    [content, ''],
    [() => iterable(), ''],
    // Of a plain stream, the latest bytes are kept, which are all here.
    [iterable(), '']
  ] as const) {
    const { run, server } = await harness(source, { size: content.length })
    server.onChunk = ({ bytes, attempt }) => {
      if (attempt > 1 || bytes < 50_000) return
      server.restart()
      throw cutError()
    }
    assert.deepEqual(await run(), { oid, size: content.length }, expected)
    assert.deepEqual(server.offsets, [0, 0])
  }
})

test('an offset that has moved since it was asked for is asked for again', async () => {
  const { run, server } = await harness(content)
  server.onChunk = ({ bytes, attempt }) => {
    if (attempt !== 1 || bytes < 50_000) return
    // The earlier stream still delivers, behind the question.
    queueMicrotask(() => {
      const held = server.held.get('id')
      if (held === undefined) return
      const late = content.subarray(held.bytes, held.bytes + 500)
      server.onLate = () => {
        held.content.push(late)
        held.bytes += late.length
      }
    })
    throw cutError()
  }
  assert.deepEqual(await run(), { oid, size: content.length })
  assert.ok(server.content('id').equals(content))
  assert.equal(server.offsets.length, 3)
})

test('a plain stream keeps so many bytes that the server may not hold, and a cut beyond them says so', async () => {
  const total = 3 * keptBytes
  const piece = Buffer.alloc(900, 7)
  async function* long() {
    for (let at = 0; at < total; at += piece.length) yield piece
  }
  const whole = await harness(long(), { size: undefined })
  await whole.run()
  assert.ok(whole.server.queries >= 4, 'the server is asked on the way')
  assert.equal(whole.server.offsets.length, 1)

  const { run, server } = await harness(long(), { size: undefined })
  server.onChunk = ({ bytes }) => {
    if (bytes < 2 * keptBytes || server.offsets.length > 1) return
    // The server has lost more than is kept.
    server.restart()
    throw cutError()
  }
  const error = (await run().catch((reason) => reason)) as BlobwireError
  assert.ok(error instanceof BlobwireError)
  assert.deepEqual([error.reason, error.retryable], ['source_used_up', false])
  assert.match(error.message, /give a function that returns a fresh stream/)
})

test('a source that fails, ends early, goes on too long or gives no bytes ends the upload', async () => {
  async function* failing() {
    yield content.subarray(0, 5000)
    throw new Error('disk on fire')
  }
  async function* numbers() {
    yield 7
  }
  const cases: [UploadSource, Partial<UploadPlan>, RegExp][] = [
    [failing(), {}, /the source failed: disk on fire/],
    [iterable(), { size: content.length + 1 }, /ended after 100000 of the 100001 bytes/],
    [iterable(), { size: content.length - 1 }, /more than the 99999 bytes/],
    [numbers() as never, {}, /the source gave 7/],
    [(() => 7) as never, {}, /returned no stream/]
  ]
  for (const [source, plan, words] of cases) {
    const { run, counters } = await harness(source, plan)
    const error = (await run().catch((reason) => reason)) as BlobwireError
    assert.deepEqual([error.code, error.reason], ['aborted', 'source_failed'])
    assert.match(error.message, words)
    assert.equal(counters.transfers.retries, 0)
  }
})

test('a content with another oid than the caller told is refused before it is stored', async () => {
  const { run, server } = await harness(content, { oid: '1'.repeat(40) })
  await assert.rejects(run(), { code: 'invalid_argument', message: /the content has the oid/ })
  assert.equal(server.held.get('id')?.oid, '')
})

test('an answer with another oid or size is no success', async () => {
  const { run, server } = await harness(content)
  server.onComplete = () => {
    const held = server.held.get('id')
    if (held) held.oid = '2'.repeat(40)
    throw cutError()
  }
  await assert.rejects(run(), { code: 'data_loss', reason: 'integrity' })
})

test('an upload that is gone on with hashes the bytes that the server holds, and sends the others', async () => {
  for (const source of [content, () => iterable(), iterable()] as UploadSource[]) {
    const { run, server } = await harness(source, { isResumed: true, size: content.length })
    server.held.set('id', { content: [content.subarray(0, 40_000)], bytes: 40_000, oid: '' })
    assert.deepEqual(await run(), { oid, size: content.length })
    assert.deepEqual([server.received, server.offsets], [60_000, [40_000]])
  }
})

test('an upload that was complete all along has its content compared', async () => {
  const complete = { content: [content], bytes: content.length, oid }
  const same = await harness(iterable(), { isResumed: true, size: content.length })
  same.server.held.set('id', complete)
  assert.deepEqual(await same.run(), { oid, size: content.length })
  const other = await harness(
    content.map((byte) => byte + 1),
    { isResumed: true }
  )
  other.server.held.set('id', complete)
  await assert.rejects(other.run(), { reason: 'integrity' })
})

test('a slow source is no stall, and keeps no stream to the server waiting before its first byte', async () => {
  const gate = Promise.withResolvers<void>()
  async function* slow() {
    await gate.promise
    yield content
  }
  const { run, server, clock } = await harness(slow())
  const result = run()
  await settled()
  clock.advance(100_000)
  await settled()
  assert.deepEqual(server.offsets, [])
  gate.resolve()
  assert.deepEqual(await result, { oid, size: content.length })
})
