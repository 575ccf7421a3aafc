import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { ContentDigests, UploadWriter } from '../../server-fixture/store/large-content.ts'
import type { Store } from '../../server-fixture/store/store.ts'
import { hashObject } from '../../src/git/oid.ts'
import type { Subject } from './contract.ts'
import { newObject } from './support.ts'

const untold: ContentDigests = { oid: undefined, sha256: undefined }
const takenOver = { code: 'aborted', reason: 'upload_taken_over' }
const noRepository = { code: 'not_found', reason: 'repository' }
const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest()

/** Writes in chunks of odd lengths. */
async function writeAll(writer: UploadWriter, content: Uint8Array): Promise<void> {
  for (let at = 0, length = 1; at < content.length; at += length, length = (length * 3 + 7) % 90_001) {
    await writer.write(content.subarray(at, at + length))
  }
}

async function readAll(store: Store, name: string, oid: string, range?: [number, number]): Promise<Buffer> {
  const object = await store.openObject(name, oid)
  assert.ok(object)
  const [start, end] = range ?? [0, object.size]
  const chunks: Uint8Array[] = []
  for await (const chunk of object.read(start, end)) chunks.push(chunk)
  await object.close()
  return Buffer.concat(chunks)
}

/** The contract of every store for uploads and for reading in parts. */
export function testUploads(subject: () => Subject): void {
  const large = randomBytes(1_500_001)

  for (const size of [large.length, undefined]) {
    const known = size === undefined ? 'unknown' : 'known'

    test(`an upload of ${known} size becomes a blob like any other`, async () => {
      const { store, format, newRepository } = subject()
      const name = await newRepository()
      const oid = hashObject('blob', large, format)
      const writer = await store.openUpload(name, 'one', size)
      assert.equal(writer.offset, 0)
      await writeAll(writer, large)
      assert.deepEqual(await store.hasObjects(name, [oid]), [undefined])
      assert.deepEqual(await store.uploadState(name, 'one'), { size, offset: large.length, blob: undefined })
      const stored = { oid, size: large.length }
      assert.deepEqual(await writer.finish({ oid, sha256: sha256(large) }), { ...stored, created: true })
      assert.deepEqual(await writer.finish(untold), { ...stored, created: false })
      await writer.release()
      assert.deepEqual((await store.uploadState(name, 'one'))?.blob, stored)
      assert.deepEqual(await store.hasObjects(name, [oid]), [{ kind: 'blob', size: large.length }])
      const [cut, whole] = [
        await store.readObjects(name, [oid], 1_000_000),
        await store.readObjects(name, [oid], 2_000_000)
      ]
      assert.equal(cut[0]?.content, undefined)
      assert.ok(large.equals(whole[0]?.content as Uint8Array))
      assert.ok(large.equals(await readAll(store, name, oid)))
    })

    test(`an upload of ${known} size goes on where it was let go, and a complete one tells its blob`, async () => {
      const { store, format, newRepository } = subject()
      const name = await newRepository()
      const oid = hashObject('blob', large, format)
      for (let at = 0; at < large.length; ) {
        const writer = await store.openUpload(name, 'pieces', size)
        assert.equal(writer.offset, at)
        assert.equal(writer.blob, undefined)
        await writeAll(writer, large.subarray(at, at + 400_000))
        at = writer.offset
        await writer.release()
      }
      const last = await store.openUpload(name, 'pieces', undefined)
      assert.equal((await last.finish({ oid, sha256: undefined })).oid, oid)
      await last.release()
      const again = await store.openUpload(name, 'pieces', size)
      assert.deepEqual(again.blob, { oid, size: large.length })
      assert.equal(again.offset, large.length)
      assert.deepEqual(await again.finish({ oid, sha256: undefined }), { oid, size: large.length, created: false })
      await again.release()
      assert.equal(await store.cancelUpload(name, 'pieces'), false)
    })

    for (const digests of ['oid', 'sha256'] as const) {
      test(`an upload of ${known} size with another ${digests} is gone, and no object is there`, async () => {
        const { store, format, newRepository } = subject()
        const name = await newRepository()
        const damaged = Buffer.from(large)
        damaged[700_000] = (damaged[700_000] as number) ^ 1
        const told = { oid: hashObject('blob', large, format), sha256: sha256(large) }
        const writer = await store.openUpload(name, 'damaged', size)
        await writeAll(writer, damaged)
        const finished = writer.finish({ ...untold, [digests]: told[digests] })
        await assert.rejects(finished, { code: 'data_loss', reason: 'integrity' })
        await writer.release()
        assert.equal(await store.uploadState(name, 'damaged'), undefined)
        const oids = [told.oid, hashObject('blob', damaged, format)]
        assert.deepEqual(await store.hasObjects(name, oids), [undefined, undefined])
        const next = await store.openUpload(name, 'damaged', size)
        assert.equal(next.offset, 0)
        await next.release()
      })
    }
  }

  test('small and empty blobs can be uploaded, too', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    for (const length of [0, 1, 4095, 4096, 40_000]) {
      for (const size of [length, undefined]) {
        const content = Buffer.alloc(length, `${size}`)
        const oid = hashObject('blob', content, format)
        const writer = await store.openUpload(name, `small-${length}-${size}`, size)
        if (length > 0) await writer.write(content)
        const { size: stored } = await writer.finish({ oid, sha256: undefined })
        await writer.release()
        assert.equal(stored, length)
        assert.ok(content.equals((await store.readObjects(name, [oid], 50_000))[0]?.content as Uint8Array))
      }
    }
  })

  test('a blob that is there already is no error, and is not created', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const blob = newObject('blob', 'x'.repeat(5000), format)
    await store.putObjects(name, [blob])
    const writer = await store.openUpload(name, 'again', 5000)
    await writer.write(blob.content)
    assert.deepEqual(await writer.finish(untold), { oid: blob.oid, size: 5000, created: false })
    await writer.release()
  })

  test('the last of several openers goes on, the others are told so', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const first = await store.openUpload(name, 'fenced', undefined)
    await writeAll(first, large.subarray(0, 300_000))
    const [second, third] = await Promise.all([
      store.openUpload(name, 'fenced', undefined),
      store.openUpload(name, 'fenced', undefined)
    ])
    for (const ended of [first, second]) {
      await assert.rejects(async () => ended.write(large), takenOver)
      await assert.rejects(ended.finish(untold), takenOver)
      await ended.release()
    }
    assert.equal(third.offset, 300_000)
    await writeAll(third, large.subarray(300_000))
    assert.equal((await third.finish(untold)).oid, hashObject('blob', large, format))
    await third.release()
  })

  test('an upload that is finished while another stream opens it is complete for that one', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const first = await store.openUpload(name, 'lost-answer', undefined)
    await writeAll(first, large)
    const [, second] = await Promise.all([first.finish(untold), store.openUpload(name, 'lost-answer', undefined)])
    assert.equal(second.blob?.oid, hashObject('blob', large, format))
    await second.release()
    await first.release()
  })

  test('a size is held to: nothing beyond it, no less, and no other one', async () => {
    const { store, newRepository } = subject()
    const name = await newRepository()
    const writer = await store.openUpload(name, 'sized', 10)
    await writer.write(Buffer.alloc(8))
    await assert.rejects(async () => writer.write(Buffer.alloc(3)), { code: 'invalid_argument', message: /beyond/ })
    await assert.rejects(writer.finish(untold), { code: 'invalid_argument', message: /2 bytes .* missing/ })
    await writer.release()
    await assert.rejects(store.openUpload(name, 'sized', 11), { code: 'invalid_argument', message: /begun with 10/ })
    assert.deepEqual(await store.uploadState(name, 'sized'), { size: 10, offset: 8, blob: undefined })
  })

  test('a size that is told later is held to, too', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const first = await store.openUpload(name, 'sized-later', undefined)
    await first.write(Buffer.alloc(8))
    await first.release()
    const holds = { code: 'invalid_argument', message: /holds 8 bytes already/ }
    await assert.rejects(store.openUpload(name, 'sized-later', 7), holds)
    const writer = await store.openUpload(name, 'sized-later', 10)
    await assert.rejects(async () => writer.write(Buffer.alloc(3)), { code: 'invalid_argument', message: /beyond/ })
    await assert.rejects(writer.finish(untold), { code: 'invalid_argument', message: /2 bytes .* missing/ })
    await writer.write(Buffer.alloc(2))
    assert.equal((await writer.finish(untold)).oid, hashObject('blob', Buffer.alloc(10), format))
    await writer.release()
    const begun = { code: 'invalid_argument', message: /begun with 10/ }
    await assert.rejects(store.openUpload(name, 'sized-later', 11), begun)
  })

  test('a cancelled upload is gone, and its writer is told so', async () => {
    const { store, newRepository } = subject()
    const name = await newRepository()
    const gone = { code: 'not_found', reason: 'upload' }
    assert.equal(await store.cancelUpload(name, 'nothing'), false)
    const writer = await store.openUpload(name, 'cancelled', undefined)
    await writeAll(writer, large)
    assert.equal(await store.cancelUpload(name, 'cancelled'), true)
    assert.equal(await store.cancelUpload(name, 'cancelled'), false)
    await assert.rejects(async () => writer.write(large), gone)
    await assert.rejects(writer.finish(untold), gone)
    await writer.release()
    assert.equal(await store.uploadState(name, 'cancelled'), undefined)
  })

  test('ids belong to a repository, and uploads go with it', async () => {
    const { store, format, newRepository } = subject()
    const [name, other] = [await newRepository(), await newRepository()]
    const writer = await store.openUpload(name, 'shared', undefined)
    const beside = await store.openUpload(other, 'shared', undefined)
    await writer.write(Buffer.from('one'))
    await beside.write(Buffer.from('other'))
    const complete = await store.openUpload(name, 'complete', undefined)
    await complete.finish(untold)
    await complete.release()
    await store.deleteRepository(name)
    await assert.rejects(async () => writer.write(large), noRepository)
    await assert.rejects(writer.finish(untold), noRepository)
    await writer.release()
    await assert.rejects(store.openUpload(name, 'shared', undefined), noRepository)
    await assert.rejects(store.uploadState(name, 'shared'), noRepository)
    await assert.rejects(store.cancelUpload(name, 'shared'), noRepository)
    await assert.rejects(store.openObject(name, '1'.repeat(format === 'sha1' ? 40 : 64)), noRepository)
    await store.createRepository(name, format)
    assert.equal(await store.uploadState(name, 'shared'), undefined)
    assert.equal(await store.uploadState(name, 'complete'), undefined)
    assert.equal((await beside.finish(untold)).size, 5)
    await beside.release()
  })

  test('objects of every kind and size are read from any offset', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const oid = hashObject('blob', large, format)
    const writer = await store.openUpload(name, 'ranges', large.length)
    await writeAll(writer, large)
    await writer.finish(untold)
    await writer.release()
    const end = large.length
    for (const [from, to] of [
      [0, 1],
      [262_143, 262_145],
      [500_000, 1_100_000],
      [end - 1, end],
      [7, 7],
      [end, end]
    ]) {
      const range: [number, number] = [from as number, to as number]
      assert.ok(large.subarray(...range).equals(await readAll(store, name, oid, range)), String(range))
    }
    const small = newObject('blob', 'y'.repeat(3000), format)
    const tree = newObject('tree', '', format)
    await store.putObjects(name, [small, tree])
    assert.equal(String(await readAll(store, name, small.oid, [2998, 3000])), 'yy')
    const opened = await store.openObject(name, tree.oid)
    assert.deepEqual([opened?.kind, opened?.size], ['tree', 0])
    await opened?.close()
    assert.equal(await store.openObject(name, hashObject('blob', Buffer.from('missing'), format)), undefined)
  })
}
