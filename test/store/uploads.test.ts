/** Uploads of any store: time, quota, storage that fails, and other processes. Stores themselves: `contract-uploads.ts`. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { UploadBounds } from '../../server-fixture/store/large-content.ts'
import { MemorySpools } from '../../server-fixture/store/memory-spools.ts'
import { ObjectTable } from '../../server-fixture/store/object-table.ts'
import type { Spool, SpoolStore } from '../../server-fixture/store/uploads/spool.ts'
import { Uploads } from '../../server-fixture/store/uploads/uploads.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { hashObject } from '../../src/git/oid.ts'
import { FakeClock } from '../support/fake-clock.ts'

const untold = { oid: undefined, sha256: undefined }
const bounds: UploadBounds = { maxUploadBytes: 10_000, maxBlobBytes: 1_000_000, uploadIdleSeconds: 60 }
const quotaFull = { code: 'resource_exhausted', reason: 'upload_quota' }
const content = randomBytes(9000)
const oid = hashObject('blob', content, 'sha1')
const diskFull = () => new BlobwireError({ reason: 'storage', message: 'ENOSPC' })

/** Memory with uploads on it, whose spools can be changed. `another` = the uploads of another process. */
function setUp(change: (spool: Spool) => Partial<Spool> = () => ({})) {
  const info = (repository: string) => ({ repository, objectFormat: 'sha1' as const, defaultBranch: 'refs/heads/main' })
  const target = (name: string) => ({ info: info(name), objects: new ObjectTable('sha1') })
  const repositories = new Map(['demo', 'other'].map((name) => [name, target(name)]))
  const clock = new FakeClock()
  const memory = new MemorySpools(repositories, clock)
  let reads = 0
  const spools: SpoolStore = {
    list: () => memory.list(),
    find: (repository, id) => memory.find(repository, id),
    remove: (repository, id) => memory.remove(repository, id),
    async open(repository, id, size) {
      const spool = await memory.open(repository, id, size)
      const counted: Partial<Spool> = {
        append: (chunk) => spool.append(chunk),
        become: (blob) => spool.become(blob),
        close: () => spool.close(),
        read() {
          reads++
          return spool.read()
        },
        ...change(spool)
      }
      return Object.setPrototypeOf(counted, new Proxy(spool, { get: (target, key) => Reflect.get(target, key) }))
    }
  }
  const another = () => {
    const made = new Uploads(spools, clock)
    made.bound(bounds)
    return made
  }
  const uploads = another()
  const hold = async (id: string, bytes: number, repository = 'demo') => {
    const writer = await uploads.open(repository, id, undefined)
    await writer.write(Buffer.alloc(bytes))
    await writer.release()
  }
  return { uploads, another, memory, clock, repositories, hold, reads: () => reads }
}

/** Timers fire at once; what they begin needs some turns. */
async function advance(clock: FakeClock, seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed++) {
    clock.advance(1000)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('an upload with which nobody goes on is removed after its time, and frees its room', async () => {
  const { uploads, clock, hold } = setUp()
  await hold('left', 4000)
  await hold('gone-on-with', 3000)
  const open = await uploads.open('demo', 'open', undefined)
  await open.write(Buffer.alloc(2000))
  await advance(clock, 40)
  await hold('gone-on-with', 500)
  assert.equal(uploads.heldBytes, 9500)
  await advance(clock, 55)
  assert.equal(await uploads.state('demo', 'left'), undefined)
  assert.equal((await uploads.state('demo', 'gone-on-with'))?.offset, 3500)
  assert.equal((await uploads.state('demo', 'open'))?.offset, 2000, 'the upload has a writer')
  assert.equal(uploads.heldBytes, 5500)
  await open.release()
  await advance(clock, 100)
  assert.equal(await uploads.state('demo', 'gone-on-with'), undefined)
  assert.equal(await uploads.state('demo', 'open'), undefined)
  assert.equal(uploads.heldBytes, 0)
  assert.equal(clock.pending, 0, 'no timer is left where no upload is')
})

test('a server that starts removes the uploads that were abandoned before, and goes on looking', async () => {
  const { another, memory, clock, hold, uploads } = setUp()
  await hold('old', 10)
  await uploads.close()
  clock.advance(40_000)
  await (await memory.open('demo', 'newer', undefined)).append(Buffer.alloc(5))
  clock.advance(30_000)
  const started = another()
  await advance(clock, 1)
  const ids = async () => (await memory.list()).map(({ id }) => id)
  assert.deepEqual([await ids(), started.heldBytes], [['newer'], 5])
  await advance(clock, 60)
  assert.deepEqual([await ids(), started.heldBytes], [[], 0])
})

test('the blob of an upload is remembered for as long, and then forgotten', async () => {
  const { uploads, clock, repositories } = setUp()
  const writer = await uploads.open('demo', 'complete', undefined)
  await writer.write(content)
  await writer.finish(untold)
  await writer.release()
  await advance(clock, 50)
  assert.equal((await uploads.state('demo', 'complete'))?.blob?.oid, oid)
  await advance(clock, 50)
  assert.equal(await uploads.state('demo', 'complete'), undefined)
  assert.equal(repositories.get('demo')?.objects.get(oid)?.content.length, 9000)
})

test('all uploads together hold at most maxUploadBytes; what ends in any way frees its room', async () => {
  const { uploads, memory, repositories } = setUp()
  const limit = { limit: 'max_upload_bytes', maximum: 10_000, actual: 10_001 }
  const fill = async (id: string) => {
    const writer = await uploads.open('demo', id, undefined)
    await writer.write(content)
    await writer.write(Buffer.alloc(1000))
    await assert.rejects(async () => writer.write(Buffer.alloc(1)), { ...quotaFull, details: { limit } })
    await assert.rejects(uploads.open('other', 'next', undefined), quotaFull)
    assert.equal(writer.offset, 10_000)
    return writer
  }
  const complete = await fill('complete')
  await complete.finish(untold)
  await complete.release()
  const cancelled = await fill('cancelled')
  await uploads.cancel('demo', 'cancelled')
  await cancelled.release()
  const damaged = await fill('damaged')
  await assert.rejects(damaged.finish({ oid, sha256: undefined }), { code: 'data_loss' })
  await damaged.release()
  await (await fill('of-a-repository')).release()
  repositories.delete('demo')
  memory.removeAll('demo')
  await uploads.forget('demo')
  await (await uploads.open('other', 'next', undefined)).write(content)
  assert.equal(uploads.heldBytes, 9000)
})

test('uploads without a byte are bounded in number', async () => {
  const { uploads } = setUp()
  for (let id = 0; id < 10_000; id++) await (await uploads.open('demo', `u${id}`, undefined)).release()
  await assert.rejects(uploads.open('demo', 'one-more', undefined), quotaFull)
  await (await uploads.open('demo', 'u5', undefined)).release()
  await uploads.cancel('demo', 'u5')
  await (await uploads.open('demo', 'one-more', undefined)).release()
})

test('another process counts the uploads that are there, hashes what is held, and has the right oid', async () => {
  for (const size of [content.length, undefined]) {
    const { uploads, another, reads } = setUp()
    const first = await uploads.open('demo', 'u', size)
    await first.write(content.subarray(0, 4000))
    await first.release()
    const second = await uploads.open('demo', 'u', size)
    await second.write(content.subarray(4000, 5000))
    await second.release()
    assert.equal(reads(), 0, 'this process has the hash')
    const elsewhere = another()
    const third = await elsewhere.open('demo', 'u', undefined)
    assert.deepEqual([third.offset, elsewhere.heldBytes, reads()], [5000, 5000, 1])
    await third.write(content.subarray(5000, 6000))
    await third.release()
    // The hash that this process has is behind.
    const last = await uploads.open('demo', 'u', size)
    assert.equal(reads(), 2)
    await last.write(content.subarray(6000))
    assert.equal((await last.finish({ oid, sha256: undefined })).oid, oid)
  }
})

test('an upload that another process began anew under its id is another one', async () => {
  let identity = 'first'
  const { uploads, another } = setUp(() => ({ identity }))
  const first = await uploads.open('demo', 'u', content.length)
  await first.write(Buffer.alloc(4000))
  await first.release()
  const elsewhere = another()
  assert.equal(await elsewhere.cancel('demo', 'u'), true)
  identity = 'second'
  const second = await elsewhere.open('demo', 'u', content.length)
  await second.write(content.subarray(0, 4000))
  await second.release()
  const last = await uploads.open('demo', 'u', content.length)
  await last.write(content.subarray(4000))
  assert.equal((await last.finish(untold)).oid, oid)
})

for (const [how, failure] of [
  ['at once', (): never => assert.fail(diskFull())],
  ['later', () => Promise.reject(diskFull())]
] as const) {
  test(`where the disk is full, told ${how}, the upload keeps what it had, and goes on when there is room`, async () => {
    let isFull = false
    const { uploads, reads } = setUp((spool) => ({
      append(chunk) {
        if (!isFull) return spool.append(chunk)
        spool.append(chunk.subarray(0, 100))
        return failure()
      }
    }))
    const writer = await uploads.open('demo', 'u', content.length)
    await writer.write(content.subarray(0, 4000))
    isFull = true
    const failed = { code: 'unavailable', reason: 'storage' }
    await assert.rejects(async () => writer.write(content.subarray(4000)), failed)
    await assert.rejects(async () => writer.write(content.subarray(4100)), failed)
    await assert.rejects(writer.finish(untold), failed)
    await writer.release()
    assert.equal(uploads.heldBytes, 4100)
    isFull = false
    const next = await uploads.open('demo', 'u', content.length)
    assert.deepEqual([next.offset, reads()], [4100, 1])
    await next.write(content.subarray(4100))
    assert.equal((await next.finish(untold)).oid, oid)
  })
}

test('where the blob cannot be stored, its upload stays, and is finished later', async () => {
  let isFull = true
  const { uploads, reads } = setUp((spool) => ({
    become: (blob) => (isFull ? Promise.reject(diskFull()) : spool.become(blob))
  }))
  const writer = await uploads.open('demo', 'u', content.length)
  await writer.write(content)
  await assert.rejects(writer.finish(untold), { reason: 'storage' })
  await writer.release()
  assert.equal(uploads.heldBytes, 9000)
  isFull = false
  const next = await uploads.open('demo', 'u', content.length)
  assert.equal((await next.finish(untold)).oid, oid)
  assert.deepEqual([uploads.heldBytes, reads()], [0, 0])
})

test('of a content whose size was not known, the second pass has to see the bytes that came', async () => {
  const { uploads, memory } = setUp((spool) => ({
    *read() {
      for (const chunk of spool.read() as Iterable<Uint8Array>) yield Buffer.from(chunk).fill(0, 0, 1)
    }
  }))
  const writer = await uploads.open('demo', 'u', undefined)
  await writer.write(Buffer.from(content).fill(1, 0, 1))
  await assert.rejects(writer.finish(untold), { code: 'data_loss', message: /other bytes than those that came/ })
  await writer.release()
  assert.deepEqual(await memory.list(), [])
})

test('while a store cannot tell its uploads, none is begun; then all is well', async () => {
  const { another, memory } = setUp()
  const list = memory.list.bind(memory)
  let failures = 2
  memory.list = () => (failures-- > 0 ? Promise.reject(diskFull()) : list())
  const uploads = another()
  await new Promise((resolve) => setImmediate(resolve))
  await assert.rejects(uploads.open('demo', 'u', undefined), { reason: 'storage' })
  await (await uploads.open('demo', 'u', undefined)).release()
})

test('close lets go of all uploads, and no timer is left', async () => {
  const { uploads, clock, another } = setUp()
  const writer = await uploads.open('demo', 'u', undefined)
  await writer.write(content.subarray(0, 10))
  await uploads.close()
  const closed = { code: 'unavailable', reason: 'store_closed' }
  await assert.rejects(async () => writer.write(content), closed)
  await assert.rejects(uploads.open('demo', 'u', undefined), closed)
  assert.equal(clock.pending, 0)
  assert.equal((await another().open('demo', 'u', undefined)).offset, 10)
})

test('a writer that waits for the disk ends before another one begins', async () => {
  let written = () => undefined as unknown
  const { uploads } = setUp((spool) => ({
    append: (chunk) => new Promise((resolve) => (written = () => resolve(spool.append(chunk))))
  }))
  const first = await uploads.open('demo', 'u', content.length)
  const writing = first.write(content)
  let isOpen = false
  const second = uploads.open('demo', 'u', content.length).then((writer) => {
    isOpen = true
    return writer
  })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isOpen, false)
  written()
  await writing
  assert.equal((await second).offset, content.length)
  assert.equal((await (await second).finish(untold)).oid, oid)
})
