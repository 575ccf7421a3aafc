/** Downloads on a fake clock: resuming, ranges, parts, verification, and their ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlobwireError } from '../../src/core/error.ts'
import { hashObject } from '../../src/git/oid.ts'
import type { TransferProgress } from '../../src/transfer/progress.ts'
import { blobSender, type Sending } from '../support/blob-sender.ts'
import { settled } from '../support/pipeline-harness.ts'
import { randomNumbers } from '../support/random.ts'

const content = Uint8Array.from({ length: 95 }, (_, index) => index)

/** Lets time pass until the work has settled. */
async function inTime<Result>(clock: { advance(ms: number): void }, work: Promise<Result>): Promise<Result> {
  let isSettled = false
  const settle = () => {
    isSettled = true
  }
  work.then(settle, settle)
  for (let turn = 0; !isSettled; turn++) {
    assert.ok(turn < 1000, 'the work settles')
    await settled()
    clock.advance(1000)
  }
  return work
}

async function errorOf(work: Promise<unknown>): Promise<BlobwireError> {
  const error = await work.then(
    () => assert.fail('it has a result'),
    (reason) => reason
  )
  assert.ok(error instanceof BlobwireError, String(error))
  return error
}

test('the bytes come once each, whatever the number of cuts, and the server is asked for the rest alone', async () => {
  const sender = blobSender(content, { plan: (index) => (index < 7 ? { cutAfter: 13 } : {}) })
  const bytes = await inTime(sender.clock, sender.download().bytes())
  assert.deepEqual(bytes, content)
  assert.deepEqual(
    sender.attempts.map(({ offset, length }) => [offset, length]),
    [0, 13, 26, 39, 52, 65, 78, 91].map((offset) => [offset, undefined])
  )
  assert.equal(sender.sent(), content.length)
  assert.equal(sender.counters.transfers.bytesReceived, content.length)
})

test('a cut behind the last byte of a whole blob asks for nothing more', async () => {
  const sender = blobSender(content, { plan: () => ({ cutAfter: content.length }) })
  assert.deepEqual(await inTime(sender.clock, sender.download().bytes()), content)
  assert.equal(sender.attempts.length, 1)
})

test('a range has its own bytes, and a digest from its first one, however it was cut', async () => {
  const range = { start: 10, end: 60 }
  for (const cuts of [[], [0], [1, 2], [25, 25], [50], [49]]) {
    const sender = blobSender(content, {
      plan: (index) => (cuts[index] === undefined ? {} : { cutAfter: cuts[index] as number })
    })
    const bytes = await inTime(sender.clock, sender.download({ range }).bytes())
    assert.deepEqual(bytes, content.slice(10, 60), `cut after ${cuts}`)
    for (const { offset, digestFrom } of sender.attempts) assert.equal(digestFrom, offset === 10 ? undefined : 10)
    const last = sender.attempts.at(-1)
    assert.equal((last?.offset ?? 0) + (last?.length ?? 0), 60)
  }
})

test('start and end are those of slice; the size of the blob bounds them', async () => {
  const random = randomNumbers(1)
  const edges = [0, 1, 9, 10, 11, 94, 95, 96, 1000, undefined]
  for (let round = 0; round < 200; round++) {
    const start = edges[random(edges.length - 1)] as number
    const end = edges[random(edges.length)]
    if (end !== undefined && end < start) continue
    const parallel = 1 + random(3)
    const sender = blobSender(content)
    const download = sender.download({ range: { start, end }, parallel })
    if (start > content.length) {
      const error = await errorOf(inTime(sender.clock, download.bytes()))
      assert.equal(error.code, 'out_of_range')
      assert.match(
        error.message,
        new RegExp(`^download at a: start: the range begins at byte ${start}, and .* 95 bytes$`)
      )
      continue
    }
    const expected = content.slice(start, end)
    assert.deepEqual(await inTime(sender.clock, download.bytes()), expected, `${start} ${end}`)
    const info = await download.info()
    assert.deepEqual(info, { oid: sender.oid, size: 95, start, end: Math.min(end ?? 95, 95) })
    assert.equal(sender.open.size, 0)
  }
})

test('an empty blob is read, and its range from 0 to anywhere', async () => {
  for (const range of [
    { start: 0, end: undefined },
    { start: 0, end: 0 },
    { start: 0, end: 10 }
  ]) {
    const sender = blobSender(new Uint8Array(0))
    const download = sender.download({ range })
    assert.deepEqual(await inTime(sender.clock, download.bytes()), new Uint8Array(0))
    assert.deepEqual(await download.info(), { oid: sender.oid, size: 0, start: 0, end: 0 })
  }
})

const otherContent = content.map((byte) => byte ^ 1)
const other = hashObject('blob', otherContent, 'sha1')
/** One byte differs, late. */
const flipped = content.map((byte, index) => (index === 80 ? byte ^ 1 : byte))
const cutOnce = { cutAfter: 30 }

/** Lies, and the words of their errors. */
const lies: readonly (readonly [name: string, plan: (index: number) => Sending, words: RegExp])[] = [
  ['wrong bytes', () => ({ content: flipped }), /hash to/],
  ['another blob', () => ({ content: otherContent, oid: other }), /another blob: expected/],
  ['a blob that is longer than told', () => ({ longerBy: 1 }), /more than bytes 0 to 95/],
  ['much longer', () => ({ longerBy: 1000 }), /more than bytes 0 to 95/],
  ['a blob that is shorter than told', () => ({ longerBy: -1 }), /less than bytes 0 to 95 .* ended at byte 94/],
  ['nothing at all', () => ({ longerBy: -95 }), /less than .* ended at byte 0/],
  ['a smaller size', () => ({ size: 94 }), /hash to|more than/],
  ['other bytes after a cut', (index) => (index === 0 ? cutOnce : { content: flipped }), /hash to/],
  [
    'another blob after a cut',
    (index) => (index === 0 ? cutOnce : { oid: other, content: otherContent }),
    /another blob/
  ],
  [
    'another size after a cut',
    (index) => (index === 0 ? cutOnce : { size: 96 }),
    /two sizes of blob .*: 95 bytes, and then 96/
  ],
  ['more after a cut', (index) => (index === 0 ? cutOnce : { longerBy: 5 }), /more than/],
  ['less after a cut', (index) => (index === 0 ? cutOnce : { longerBy: -5 }), /less than/]
]

for (const [name, plan, words] of lies) {
  test(`a lie, ${name}: data_loss, not retried, and never the whole`, async () => {
    for (const parallel of [1, 3]) {
      const sender = blobSender(content, { plan })
      const seen: Uint8Array[] = []
      const read = async () => {
        for await (const chunk of sender.download({ parallel })) seen.push(chunk)
      }
      const error = await errorOf(inTime(sender.clock, read()))
      assert.equal(`${error.code} ${error.reason}`, 'data_loss integrity')
      assert.match(error.message, words)
      assert.ok(Buffer.concat(seen).length <= content.length)
      assert.ok(sender.attempts.length <= 2)
      assert.equal(sender.open.size, 0)
    }
  })
}

test('lies about a range: its digest tells', async () => {
  const range = { start: 20, end: 90 }
  const plans: readonly (readonly [(index: number) => Sending, RegExp])[] = [
    [() => ({ content: flipped, sha256: new Uint8Array(32) }), /bytes 20 to 90 .* expected the digest 0{64}, got/],
    [() => ({ sha256: null }), /no digest of bytes 20 to 90 .* verify: false/],
    // A splice: each part is right, the whole is not.
    [(index) => (index === 0 ? { ...cutOnce, content: otherContent } : {}), /expected the digest/]
  ]
  for (const [plan, words] of plans) {
    const error = await errorOf(
      (() => {
        const sender = blobSender(content, { plan })
        return inTime(sender.clock, sender.download({ range }).bytes())
      })()
    )
    assert.equal(error.reason, 'integrity')
    assert.match(error.message, words)
  }
})

test('without verify, the bytes come as they are; their number is still right', async () => {
  const sender = blobSender(content, { plan: () => ({ content: flipped }) })
  assert.deepEqual(await inTime(sender.clock, sender.download({ verify: false }).bytes()), flipped)
  const range = { start: 20, end: 90 }
  const ranged = blobSender(content, { plan: () => ({ sha256: null }) })
  const bytes = await inTime(ranged.clock, ranged.download({ range, verify: false }).bytes())
  assert.deepEqual(bytes, content.slice(20, 90))
  const short = blobSender(content, { plan: () => ({ longerBy: -1 }) })
  const error = await errorOf(inTime(short.clock, short.download({ verify: false }).bytes()))
  assert.match(error.message, /less than/)
})

test('a revision and a path are asked for once: after a cut, the oid is, so that a branch may move', async () => {
  const sender = blobSender(content, { plan: (index) => (index < 2 ? { cutAfter: 20 } : {}) })
  const address = { repository: 'demo', oid: '', revision: 'main', path: 'a.bin' }
  const download = sender.download({ address })
  assert.deepEqual(await inTime(sender.clock, download.bytes()), content)
  assert.deepEqual(
    sender.attempts.map(({ oid, revision, path }) => [oid, revision, path]),
    [
      ['', 'main', 'a.bin'],
      [sender.oid, '', ''],
      [sender.oid, '', '']
    ]
  )
})

test('info asks for one byte, and what is read then has the oid that it told', async () => {
  const sender = blobSender(content)
  const address = { repository: 'demo', oid: '', revision: 'main', path: 'a.bin' }
  const download = sender.download({ address })
  // Together, one request; and reading waits for it.
  const [one, two, bytes] = await Promise.all([download.info(), download.info(), download.bytes()])
  assert.deepEqual(one, { oid: sender.oid, size: 95, start: 0, end: 95 })
  assert.deepEqual(two, one)
  assert.deepEqual(bytes, content)
  assert.deepEqual(
    sender.attempts.map(({ revision, oid, offset, length }) => [revision, oid, offset, length]),
    [
      ['main', '', 0, 1],
      ['', sender.oid, 0, undefined]
    ]
  )
  assert.equal(sender.open.size, 0)
})

test('info while the blob is read needs no request, and fails as reading does', async () => {
  const sender = blobSender(content)
  const download = sender.download()
  const bytes = download.bytes()
  assert.equal((await download.info()).size, 95)
  await bytes
  assert.equal(sender.attempts.length, 1)
  const refusal = new BlobwireError({ reason: 'object', message: 'not found', sent: 'processed', attempts: 1 })
  const refusing = blobSender(content, { plan: () => ({ refusal }) })
  const other = refusing.download()
  const failed = errorOf(other.bytes())
  assert.equal((await errorOf(other.info())).reason, 'object')
  assert.equal((await failed).reason, 'object')
  assert.equal(refusing.attempts.length, 1)
})

test('progress counts the bytes that the reader has, of the range, and ends with all of them', async () => {
  const sender = blobSender(content, { plan: (index) => (index === 0 ? { cutAfter: 25 } : {}) })
  const seen: TransferProgress[] = []
  const onProgress = (progress: TransferProgress) => seen.push(progress)
  const download = sender.download({ range: { start: 5, end: 75 }, onProgress })
  for await (const _ of download) {
    sender.clock.advance(60)
    await settled()
    sender.clock.advance(60)
  }
  const moved = seen.map(({ transferredBytes }) => transferredBytes)
  assert.deepEqual(moved, [10, 20, 25, 35, 45, 55, 65, 70, 70, 70])
  for (const { phase, totalBytes, totalFiles } of seen) {
    assert.deepEqual([phase, totalBytes, totalFiles], ['download', 70, 1])
  }
  assert.equal(seen.at(-1)?.files, 1)
  assert.ok((seen.at(-1)?.bytesPerSecond ?? 0) > 0)
  const failing = blobSender(content)
  const onFailure = () => {
    throw new Error('mine')
  }
  const error = await errorOf(failing.download({ onProgress: onFailure }).bytes())
  assert.deepEqual([error.code, (error.cause as Error).message], ['aborted', 'mine'])
  await settled()
  assert.deepEqual([failing.open.size, failing.pipeline.transfers.running], [0, 0])
})

test('parts come several at a time, in order, and no more of them are held than are read', async () => {
  const large = Buffer.alloc(20 * 1024 * 1024, 'bytes, a prime number of them')
  const sender = blobSender(large, { chunkBytes: 256 * 1024 })
  const download = sender.download({ parallel: 8 })
  const chunks = download[Symbol.asyncIterator]()
  const seen = [(await chunks.next()).value]
  await settled()
  assert.equal(sender.attempts.length, 1, 'the first part tells the size')
  seen.push((await chunks.next()).value)
  for (let turn = 0; turn < 100; turn++) await settled()
  assert.equal(sender.attempts.length, 8, 'of 2 MiB each')
  assert.ok(sender.sent() <= 17 * 1024 * 1024)
  for (let chunk = await chunks.next(); chunk.value !== undefined; chunk = await chunks.next()) seen.push(chunk.value)
  assert.equal(Buffer.compare(Buffer.concat(seen as Uint8Array[]), large), 0)
  assert.equal(sender.sent(), large.length)
  // Nobody reads: nothing beyond the parts is asked for.
  const more = blobSender(Buffer.alloc(60 * 1024 * 1024), { chunkBytes: 1024 * 1024 })
  const idle = more.download({ parallel: 4 })[Symbol.asyncIterator]()
  await idle.next()
  await idle.next()
  for (let turn = 0; turn < 200; turn++) await settled()
  assert.equal(more.attempts.length, 4)
  assert.ok(more.sent() <= 17 * 1024 * 1024, `${more.sent()} bytes`)
  await idle.return?.()
  await settled()
  assert.deepEqual([more.open.size, more.pipeline.transfers.running, more.clock.pending], [0, 0, 0])
})
