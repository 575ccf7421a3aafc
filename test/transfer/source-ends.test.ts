/** Sources that fail late, are given twice, or wait while the upload is cut or ends. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newHash } from '../../src/platform/hash.ts'
import { readBeginning } from '../../src/transfer/pieces.ts'
import { openSource } from '../../src/transfer/source.ts'
import type { UploadSource } from '../../src/transfer/source-kinds.ts'
import { SourceReader } from '../../src/transfer/source-reader.ts'

const options = { chunkBytes: 1000, keptBytes: 900, size: undefined }

async function readerOf(given: UploadSource) {
  const hash = newHash('sha1')
  return new SourceReader(await openSource(given), { ...options, hash })
}

test('a source that fails while nobody waits for its next piece does not end there', async () => {
  async function* failing() {
    yield new Uint8Array(10)
    await sleep(5)
    throw new Error('gone')
  }
  await assert.rejects(readBeginning(await openSource(failing()), undefined, 100), { reason: 'source_failed' })
  const reader = await readerOf(failing())
  assert.equal((await reader.at(0))?.length, 10)
  await sleep(10)
  await assert.rejects(reader.at(10), { reason: 'source_failed' })
  await assert.rejects(reader.at(10), { reason: 'source_failed' })
})

/** A function of streams, of which the first one waits. */
function waiting() {
  const opened: { isOver: boolean }[] = []
  const released = Promise.withResolvers<void>()
  const open = () => {
    const stream = { isOver: false }
    opened.push(stream)
    let piece = 0
    return {
      [Symbol.asyncIterator]: () => ({
        async next() {
          if (opened.length === 1 && piece === 3) await released.promise
          else if (piece === 1) await sleep(2)
          if (piece === 6) return { done: true, value: undefined } as const
          return { done: false, value: new Uint8Array(1000).fill(piece++) } as const
        },
        async return() {
          stream.isOver = true
          return { done: true, value: undefined } as const
        }
      })
    }
  }
  return { open, opened, release: () => released.resolve() }
}

test('an attempt that was cut while it waits for a slow source takes nothing from the next one', async () => {
  const { open, release } = waiting()
  const reader = await readerOf(open)
  for (let at = 0; at < 3000; at += 1000) await reader.at(at)
  const left = reader.at(3000)
  left.catch(() => undefined)
  const pieces: (number | undefined)[] = []
  for (let at = 0; at <= 6000; at += 1000) {
    const piece = await reader.at(at)
    pieces.push(piece?.[0])
    if (at === 0) release()
    await sleep(1)
  }
  assert.deepEqual(pieces, [0, 1, 2, 3, 4, 5, undefined])
  await assert.rejects(left)
})

test('a source is not opened anew when its reader is closed while it waits', async () => {
  const { open, opened, release } = waiting()
  const reader = await readerOf(open)
  for (let at = 0; at < 3000; at += 1000) await reader.at(at)
  const left = reader.at(3000)
  left.catch(() => undefined)
  reader.close()
  release()
  await sleep(5)
  assert.equal(opened.length, 1)
  assert.ok(opened[0]?.isOver)
})

test('a stream that was read before is refused, not stored as nothing', async () => {
  async function* pieces() {
    yield 'text'
  }
  for (const stream of [pieces(), new Blob(['text']).stream() as UploadSource]) {
    const read = async () => {
      const source = await openSource(stream)
      try {
        return await readBeginning(source, undefined, 100)
      } finally {
        await source.close()
      }
    }
    assert.equal(((await read()) as Uint8Array).length, 4)
    await assert.rejects(read(), { reason: 'source_failed' })
  }
})

test('a stream of which nothing was read ends with the upload', async () => {
  const node = Readable.from(['text'])
  let isCancelled = false
  const web = new ReadableStream<Uint8Array>({
    cancel: () => {
      isCancelled = true
    }
  })
  for (const stream of [node, web]) await (await openSource(stream)).close()
  assert.deepEqual([node.destroyed, isCancelled], [true, true])
})

test('text that a stream makes of its bytes is not taken for UTF-8', async () => {
  const read = async (encoding: BufferEncoding) => {
    const stream = Readable.from([Buffer.from('é')], { objectMode: false }).setEncoding(encoding)
    return readBeginning(await openSource(stream), undefined, 100)
  }
  assert.deepEqual(Buffer.from((await read('utf8')) as Uint8Array), Buffer.from('é'))
  await assert.rejects(read('latin1'), { reason: 'source_failed' })
})

test('small pieces of a plain stream are kept as larger ones', async () => {
  async function* small() {
    for (let piece = 0; piece < 50; piece++) {
      await sleep(0)
      yield new Uint8Array(10).fill(piece)
    }
  }
  const reader = await readerOf(small())
  for (let at = 0; at < 500; at += 10) assert.equal((await reader.at(at))?.[0], at / 10)
  assert.equal(await reader.at(500), undefined)
  assert.deepEqual([(await reader.at(0))?.length, (await reader.at(255))?.[0]], [220, 25])
})
