/** How downloads begin and end: unread, left, closed, aborted, late, stalled; and files that they go to. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import type { BlobwireError } from '../../src/core/error.ts'
import { blobSender, type Sending } from '../support/blob-sender.ts'
import { settled } from '../support/pipeline-harness.ts'

const content = Uint8Array.from({ length: 95 }, (_, index) => index)
const never = () => new Promise<never>(() => undefined)
/** Sends this many bytes, and nothing more. */
const stuckAfter = (bytes: number): Sending => ({ gate: (sent) => (sent >= bytes ? never() : undefined) })

const errorOf = (work: Promise<unknown>): Promise<BlobwireError> =>
  work.then(
    () => assert.fail('it has a result'),
    (error) => error
  )

const asStream = (stream: object) => stream as Readable

test('what is not read sends nothing and leaves nothing, in every form', async () => {
  const sender = blobSender(content)
  sender.download()
  const iterated = sender.download()[Symbol.asyncIterator]()
  const stream = sender.download().stream()
  const node = asStream(sender.download().toNodeStream())
  await settled()
  assert.equal(sender.attempts.length, 0)
  await iterated.return?.()
  assert.deepEqual(await iterated.next(), { done: true, value: undefined })
  await stream.cancel()
  node.destroy()
  await sender.download().close()
  await settled()
  assert.equal(sender.attempts.length, 0)
  assert.deepEqual([sender.pipeline.transfers.running, sender.clock.pending], [0, 0])
})

test('nothing is read ahead of the reader', async () => {
  const sender = blobSender(content)
  const chunks = sender.download()[Symbol.asyncIterator]()
  await chunks.next()
  await settled()
  // One chunk is at the reader, and one waits.
  assert.equal(sender.sent(), 20)
  await chunks.return?.()
  assert.deepEqual([sender.open.size, sender.pipeline.transfers.running, sender.clock.pending], [0, 0, 0])
})

test('leaving the loop, cancelling and destroying end the stream, also while a read is under way', async () => {
  const leave = {
    async loop(download: AsyncIterable<Uint8Array>) {
      for await (const chunk of download) {
        assert.equal(chunk.length, 10)
        break
      }
    },
    async error(download: AsyncIterable<Uint8Array>) {
      const work = (async () => {
        for await (const _ of download) throw new Error('mine')
      })()
      assert.equal((await errorOf(work)).message, 'mine')
    }
  }
  for (const isStuck of [false, true]) {
    const plan = () => (isStuck ? stuckAfter(20) : {})
    const sender = blobSender(content, { plan })
    await leave.loop(sender.download())
    await leave.error(sender.download())
    const reader = sender.download().stream().getReader()
    await reader.read()
    await reader.cancel()
    const node = asStream(sender.download().toNodeStream())
    for await (const _ of node) break
    assert.equal(node.destroyed, true)
    const iterator = sender.download()[Symbol.asyncIterator]()
    await iterator.next()
    await iterator.next()
    const pending = errorOf(iterator.next())
    if (isStuck) {
      await settled()
      await iterator.return?.()
      assert.equal((await pending).code, 'cancelled')
    } else {
      await iterator.return?.()
    }
    await settled()
    assert.deepEqual([sender.open.size, sender.pipeline.transfers.running, sender.clock.pending], [0, 0, 0])
  }
})

test('a download has one reader; a second one is told so, and changes nothing', async () => {
  const sender = blobSender(content)
  const download = sender.download()
  const bytes = download.bytes()
  for (const read of [() => download.stream(), () => download.toNodeStream(), () => download[Symbol.asyncIterator]()]) {
    assert.throws(read, { code: 'failed_precondition', message: /has a reader already; call download again/ })
  }
  assert.equal((await errorOf(download.bytes())).code, 'failed_precondition')
  assert.equal((await errorOf(download.toFile('/nowhere'))).code, 'failed_precondition')
  assert.deepEqual(await bytes, content)
  assert.equal((await errorOf(download.bytes())).code, 'failed_precondition')
  assert.equal(sender.attempts.length, 1)
})

test('reads that are asked for at once come in order', async () => {
  const sender = blobSender(content)
  const chunks = sender.download()[Symbol.asyncIterator]()
  const reads = await Promise.all(Array.from({ length: 12 }, () => chunks.next()))
  const values = reads.flatMap(({ value }) => (value === undefined ? [] : [value]))
  assert.deepEqual(Buffer.concat(values), Buffer.from(content))
})

test('close ends a download in every state', async () => {
  const sender = blobSender(content, { plan: () => stuckAfter(20) })
  const unread = sender.download()
  await unread.close()
  assert.match((await errorOf(unread.bytes())).message, /the download was closed/)
  assert.match((await errorOf(unread.info())).message, /the download was closed/)
  assert.equal(sender.attempts.length, 0)
  const reading = sender.download()
  const bytes = errorOf(reading.bytes())
  await settled()
  await reading.close()
  await reading.close()
  const { code, message } = await bytes
  assert.deepEqual([code, message], ['cancelled', 'download at a: the download was closed'])
  await settled()
  assert.deepEqual([sender.open.size, sender.pipeline.transfers.running, sender.clock.pending], [0, 0, 0])
  const over = blobSender(content).download()
  assert.deepEqual(await over.bytes(), content)
  await over.close()
  assert.equal((await over.info()).size, 95)
})

test('the signal ends a download before, while and between reads; its reason is the cause', async () => {
  const sender = blobSender(content, { plan: () => stuckAfter(20) })
  const transfer = (signal: AbortSignal) => ({ transfer: { headers: {}, stallTimeoutMs: 30_000, signal } })
  const before = errorOf(sender.download(transfer(AbortSignal.abort(new Error('early')))).bytes())
  assert.deepEqual([(await before).code, ((await before).cause as Error).message], ['cancelled', 'early'])
  assert.equal(sender.attempts.length, 0)
  for (const hasRead of [true, false]) {
    const controller = new AbortController()
    const chunks = sender.download(transfer(controller.signal))[Symbol.asyncIterator]()
    await chunks.next()
    await chunks.next()
    const pending = hasRead ? errorOf(chunks.next()) : undefined
    await settled()
    controller.abort(new Error('enough'))
    const error = await (pending ?? errorOf(chunks.next()))
    assert.deepEqual([error.code, (error.cause as Error).message, error.attempts], ['cancelled', 'enough', 1])
    await settled()
    assert.deepEqual([sender.open.size, sender.pipeline.transfers.running, sender.clock.pending], [0, 0, 0])
  }
})

test('a deadline is for the whole; a stall is cut and gone on with, and a slow reader is none', async () => {
  const sender = blobSender(content, { plan: (index) => (index === 0 ? stuckAfter(30) : {}) })
  const stalled = sender.download({ transfer: { headers: {}, stallTimeoutMs: 1000 } })
  const chunks = stalled[Symbol.asyncIterator]()
  const seen = [(await chunks.next()).value]
  await settled()
  // The reader takes its time.
  sender.clock.advance(100_000)
  for (let count = 0; count < 2; count++) seen.push((await chunks.next()).value)
  const next = chunks.next()
  await settled()
  for (let turn = 0; turn < 5; turn++) {
    sender.clock.advance(500)
    await settled()
  }
  seen.push((await next).value)
  for (;;) {
    const { value } = await chunks.next()
    if (value === undefined) break
    seen.push(value)
  }
  assert.deepEqual(Buffer.concat(seen as Uint8Array[]), Buffer.from(content))
  assert.deepEqual(
    sender.attempts.map(({ offset }) => offset),
    [0, 30]
  )
  const slow = blobSender(content, { plan: () => stuckAfter(30) })
  const late = errorOf(slow.download({ transfer: { headers: {}, stallTimeoutMs: 9999, timeoutMs: 5000 } }).bytes())
  await settled()
  slow.clock.advance(5000)
  assert.equal((await late).code, 'deadline_exceeded')
  await settled()
  assert.deepEqual([slow.open.size, slow.pipeline.transfers.running, slow.clock.pending], [0, 0, 0])
})

test('the time for the whole is that of all requests of it together', async () => {
  const sender = blobSender(content, { plan: (index) => (index === 1 ? stuckAfter(30) : {}) })
  const download = sender.download({ transfer: { headers: {}, stallTimeoutMs: 9999, timeoutMs: 5000 } })
  await download.info()
  sender.clock.advance(4000)
  const late = errorOf(download.bytes())
  await settled()
  sender.clock.advance(1000)
  assert.equal((await late).code, 'deadline_exceeded')
})

async function directory(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'blobwire-download-'))
  context.after(() => rm(path, { recursive: true }))
  return path
}

test('a file is replaced by verified bytes alone; nothing is left of a download that failed', async (context) => {
  const path = await directory(context)
  const file = join(path, 'a.bin')
  await writeFile(file, 'old')
  const wrong = blobSender(content, { plan: () => ({ content: content.map((byte) => byte ^ 1) }) })
  assert.equal((await errorOf(wrong.download().toFile(file))).reason, 'integrity')
  assert.deepEqual([await readFile(file, 'utf8'), await readdir(path)], ['old', ['a.bin']])
  const stuck = blobSender(content, { plan: () => stuckAfter(50) })
  const download = stuck.download()
  const closed = errorOf(download.toFile(file))
  while (stuck.sent() < 50) await settled()
  assert.equal((await readdir(path)).length, 2)
  await download.close()
  assert.equal((await closed).code, 'cancelled')
  assert.deepEqual([await readFile(file, 'utf8'), await readdir(path)], ['old', ['a.bin']])
  const right = blobSender(content)
  assert.deepEqual(await right.download().toFile(file), { oid: right.oid, size: 95 })
  assert.deepEqual(new Uint8Array(await readFile(file)), content)
})

test('a file that cannot be written: sink_failed in words, before a byte is asked for', async (context) => {
  const path = await directory(context)
  await writeFile(join(path, 'file'), '')
  const server = createServer().listen(join(path, 'socket'))
  context.after(() => server.close())
  await once(server, 'listening')
  for (const [target, words] of [
    [join(path, 'none/a.bin'), /cannot write .*none\/a\.bin: its directory does not exist$/],
    [join(path, 'file/a.bin'), /a part of its path is a file/],
    [path, /it is a directory/],
    [join(path, 'socket'), /it is no regular file; pipe toNodeStream\(\) into it/],
    [join(path, 'x'.repeat(300)), /its name is too long/]
  ] as const) {
    const sender = blobSender(content)
    const error = await errorOf(sender.download().toFile(target))
    assert.deepEqual([error.code, error.reason], ['aborted', 'sink_failed'])
    assert.match(error.message, words)
    assert.ok(error.cause instanceof Error)
    assert.equal(sender.attempts.length, 0)
  }
  assert.deepEqual(await readdir(path), ['file', 'socket'])
})

test('bytes that fit into no Uint8Array are told, and the stream is left', async () => {
  const sender = blobSender(content, { plan: () => ({ size: Number.MAX_SAFE_INTEGER }) })
  const error = await errorOf(sender.download().bytes())
  assert.equal(error.code, 'resource_exhausted')
  assert.match(error.message, /do not fit into one Uint8Array here; read the download as a stream, or toFile/)
  await settled()
  assert.deepEqual([sender.open.size, sender.pipeline.transfers.running], [0, 0])
})
