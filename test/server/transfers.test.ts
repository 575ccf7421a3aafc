/** UploadBlob, DownloadBlob, QueryUpload and CancelUpload as the service carries them out, without a network. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { Access, CallContext } from '../../server-fixture/service/context.ts'
import { Service } from '../../server-fixture/service/service.ts'
import type { UploadOpening } from '../../server-fixture/service/vcs-service.ts'
import { BlockList } from '../../server-fixture/store/block-list.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { hashObject } from '../../src/git/oid.ts'
import type { Messages } from '../../src/schema/messages.ts'

const chunkBytes = 16 * 1024
const content = randomBytes(200_000)
const oid = hashObject('blob', content, 'sha1')
const untold = { oid: undefined, sha256: undefined }
const noPath = new Uint8Array(0)
const request = { repository: 'demo', oid: '', offset: 0, length: 0, revision: '', path: '', rawPath: noPath }
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

function contextOf(access: readonly Access[] = ['read', 'write'], signal = new AbortController().signal): CallContext {
  return { principal: { may: (wanted) => access.includes(wanted) }, signal, requestId: 'test' }
}

async function setUp() {
  const store = new MemoryStore()
  await store.createRepository('demo', 'sha1')
  const internal: unknown[] = []
  const limits = { maxInlineBytes: 64 * 1024, chunkBytes, maxBlobBytes: 1_000_000 }
  const service = new Service(store, { limits, serverVersion: '0', onInternalError: (error) => internal.push(error) })
  const open = (over: Partial<UploadOpening> = {}, context = contextOf()) => {
    const opening = { repository: 'demo', uploadId: 'u', size: undefined, offset: 0, oid: undefined, ...over }
    return service.upload(opening, context)
  }
  const download = async (over: Partial<Messages['DownloadBlobRequest']>, context = contextOf()) => {
    const blob = await service.download({ ...request, ...over }, context)
    const chunks: Uint8Array[] = []
    for await (const chunk of blob.chunks()) chunks.push(chunk)
    await blob.close()
    return { blob, chunks, bytes: Buffer.concat(chunks) }
  }
  const call = (method: string, fields: object, context = contextOf()) =>
    service.call(method, { repository: 'demo', uploadId: 'u', ...fields }, context)
  const upload = async (bytes: Uint8Array, over: Partial<UploadOpening> = {}) => {
    const incoming = await open({ uploadId: 'whole', ...over })
    await incoming.write(bytes)
    return incoming.finish(untold)
  }
  return { store, service, internal, open, download, call, upload }
}

test('an upload goes on at the offset that QueryUpload tells, and its blob is remembered for its id', async () => {
  const { open, call, download } = await setUp()
  const first = await open({ size: content.length, oid })
  await first.write(content.subarray(0, 70_000))
  assert.deepEqual(await call('QueryUpload', {}), { offset: 70_000, complete: false, oid: '', size: content.length })
  assert.deepEqual(await first.release(), { oid: '', size: 0, offset: 70_000, complete: false })
  const second = await open({ offset: 70_000 })
  await second.write(content.subarray(70_000))
  const done = { oid, size: content.length, offset: content.length, complete: true }
  assert.deepEqual(await second.finish(untold), done)
  assert.deepEqual(await second.release(), done)
  assert.deepEqual(await call('QueryUpload', {}), { offset: content.length, complete: true, oid, size: content.length })
  assert.deepEqual(await call('CancelUpload', {}), { cancelled: false })
  const repeated = await open({ offset: content.length, oid })
  assert.deepEqual(await repeated.finish(untold), done)
  assert.ok(content.equals((await download({ oid })).bytes))
})

test('an upload is refused at another offset, and one that is gone does not begin anew in its middle', async () => {
  const { open, call } = await setUp()
  await (await open()).write(content)
  const wrong = { code: 'failed_precondition', reason: 'upload_offset' }
  await assert.rejects(open({ offset: 5 }), { ...wrong, message: /holds 200000 bytes; it does not go on at 5/ })
  await assert.rejects(open({ offset: 0 }), wrong)
  const anywhere = await open({ offset: undefined })
  assert.equal(anywhere.offset, content.length)
  assert.deepEqual(await call('CancelUpload', {}), { cancelled: true })
  const gone = { code: 'not_found', reason: 'upload' }
  await assert.rejects(anywhere.finish(untold), gone)
  await assert.rejects(open({ offset: content.length }), gone)
  await assert.rejects(call('QueryUpload', {}), gone)
  assert.equal((await open({ offset: 0 })).offset, 0)
})

test('rights come first: without them nothing is begun, and nothing is told', async () => {
  const { store, open, call, download, upload } = await setUp()
  await upload(content)
  const unknown = { code: 'not_found', reason: 'repository' }
  const denied = { code: 'permission_denied' }
  for (const [context, refusal] of [
    [contextOf([]), unknown],
    [contextOf(['read']), denied]
  ] as const) {
    await assert.rejects(open({ uploadId: '?' }, context), refusal)
    await assert.rejects(call('QueryUpload', { uploadId: 'whole' }, context), refusal)
    await assert.rejects(call('CancelUpload', { uploadId: 'whole' }, context), refusal)
  }
  await assert.rejects(download({ oid }, contextOf([])), unknown)
  assert.ok(content.equals((await download({ oid }, contextOf(['read']))).bytes))
  assert.equal(await store.uploadState('demo', '?'), undefined)
  await assert.rejects(open({ repository: 'none' }), unknown)
  await assert.rejects(download({ repository: 'none', oid }), unknown)
})

test('ids, sizes and oids are checked before a byte is taken', async () => {
  const { store, open } = await setUp()
  for (const uploadId of ['', 'a/b', 'ä', 'x'.repeat(129)]) {
    await assert.rejects(open({ uploadId }), { code: 'invalid_argument', message: /^uploadId: must be 1 to 128/ })
  }
  await assert.rejects(open({ oid: 'abc' }), { code: 'invalid_argument', message: /^oid: / })
  const limit = { limit: 'max_blob_bytes', maximum: 1_000_000, actual: 1_000_001 }
  await assert.rejects(open({ size: 1_000_001 }), { code: 'resource_exhausted', details: { limit } })
  assert.equal(await store.uploadState('demo', 'u'), undefined)
  const unsized = await open()
  await unsized.write(Buffer.alloc(1_000_000))
  await assert.rejects(async () => unsized.write(Buffer.alloc(1)), { code: 'resource_exhausted', details: { limit } })
  await unsized.release()
})

test('a blob with other bytes than its digests is not stored', async () => {
  const { open, call } = await setUp()
  const lost = { code: 'data_loss', reason: 'integrity' }
  const other = hashObject('blob', Buffer.from('other'), 'sha1')
  for (const [opened, told] of [
    [{ oid: other }, untold],
    [{}, { oid: other, sha256: undefined }],
    [{}, { oid: undefined, sha256: sha256(Buffer.from('other')) }]
  ] as const) {
    const incoming = await open(opened)
    await incoming.write(content)
    await assert.rejects(incoming.finish(told), lost)
    await incoming.release()
    await assert.rejects(call('QueryUpload', {}), { code: 'not_found' })
    assert.deepEqual(await call('FindMissing', { oids: [oid] }), { missing: [oid] })
  }
})

test('a download comes in chunks of at most chunkBytes, by oid or by revision and path', async () => {
  const { upload, download, call } = await setUp()
  await upload(content)
  const author = { name: 'A', email: 'a@example.com', timeSeconds: 1, zone: '+0000' }
  const put = { path: 'big.bin', rawPath: noPath, oid, mode: '100644', expectedOid: '' }
  const commit = { expectedHead: '', changes: [put], guards: [], author, committer: author, message: 'm' }
  const plain = { baseTree: '', inputDigest: '', prepare: false, commitObject: noPath }
  await call('CommitFiles', { branch: 'main', ...commit, ...plain })
  for (const address of [{ oid }, { revision: 'main', path: 'big.bin' }, { path: 'big.bin' }]) {
    const { blob, bytes, chunks } = await download(address)
    assert.deepEqual([blob.oid, blob.size, blob.start, blob.end], [oid, content.length, 0, content.length])
    assert.ok(content.equals(bytes))
    assert.ok(chunks.every(({ length }) => length > 0 && length <= chunkBytes))
    assert.equal(blob.sha256, undefined)
  }
  await assert.rejects(download({ path: 'none' }), { code: 'not_found', reason: 'path' })
  await assert.rejects(download({ oid: hashObject('blob', Buffer.from('no'), 'sha1') }), { reason: 'object' })
  await assert.rejects(download({}), { code: 'invalid_argument' })
})

test('a range has a digest, which may begin before it', async () => {
  const { service, upload, download } = await setUp()
  await upload(content)
  const ranges = [
    [0, 1],
    [16_383, 16_385],
    [100, 150_000],
    [199_999, 200_000],
    [200_000, 200_000]
  ]
  for (const [start = 0, end = 0] of ranges) {
    const length = end - start
    for (const digestFrom of [undefined, 0, Math.floor(start / 2)]) {
      if (length === 0 && digestFrom === undefined) continue
      const { blob, bytes } = await download({
        oid,
        offset: start,
        length,
        ...(digestFrom === undefined ? {} : { digestFrom })
      })
      assert.ok(content.subarray(start, end).equals(bytes), `${start}-${end}`)
      assert.deepEqual(blob.sha256, sha256(content.subarray(digestFrom ?? start, end)), `${digestFrom}-${end}`)
    }
  }
  const tail = await download({ oid, offset: 150_000, length: 1_000_000 })
  assert.deepEqual([tail.blob.start, tail.blob.end, tail.bytes.length], [150_000, 200_000, 50_000])
  await assert.rejects(download({ oid, offset: 200_001 }), { code: 'out_of_range', message: /which has 200000 bytes/ })
  await assert.rejects(download({ oid, offset: 5, digestFrom: 6 }), { code: 'invalid_argument', message: /digestFrom/ })
  const narrowed = (await service.download({ ...request, oid }, contextOf())).narrow({ start: 10, end: 20 })
  const chunks: Uint8Array[] = []
  for await (const chunk of narrowed.chunks()) chunks.push(chunk)
  assert.deepEqual([narrowed.start, narrowed.end, Buffer.concat(chunks)], [10, 20, content.subarray(10, 20)])
})

test('of a blob that is damaged in the store, the last bytes never come', async (context) => {
  const { upload, service } = await setUp()
  await upload(content)
  const slices = BlockList.prototype.slices
  context.mock.method(BlockList.prototype, 'slices', function* (this: BlockList, start: number, end: number) {
    for (const piece of slices.call(this, start, end)) {
      const damaged = Buffer.from(piece)
      damaged.writeUInt8(damaged.readUInt8() ^ 1)
      yield damaged
    }
  })
  const blob = await service.download({ ...request, oid }, contextOf())
  let bytes = 0
  const read = async () => {
    for await (const chunk of blob.chunks()) bytes += chunk.length
  }
  await assert.rejects(read(), { code: 'data_loss', reason: 'integrity' })
  assert.ok(bytes < content.length, `${bytes}`)
})

test('a download ends when nobody waits for it', async () => {
  const { service, upload } = await setUp()
  await upload(Buffer.alloc(1_000_000))
  const abort = new AbortController()
  const zeros = hashObject('blob', Buffer.alloc(1_000_000), 'sha1')
  const blob = await service.download({ ...request, oid: zeros }, contextOf(['read'], abort.signal))
  const read = async () => {
    for await (const _ of blob.chunks()) abort.abort()
  }
  await assert.rejects(read(), { code: 'cancelled' })
})

test('a download that waits for nobody gives other work its turn', async (context) => {
  const { upload, download } = await setUp()
  await upload(Buffer.alloc(1_000_000))
  let turns = 0
  const count = () => {
    turns++
    pending = setImmediate(count)
  }
  let pending = setImmediate(count)
  let now = performance.now()
  context.mock.method(performance, 'now', () => (now += 6))
  await download({ oid: hashObject('blob', Buffer.alloc(1_000_000), 'sha1') })
  clearImmediate(pending)
  // As many as the store has chunks of it.
  assert.ok(turns >= 4, `${turns}`)
})

test('unary calls meet a large blob with the limit and its oid, and may name it', async () => {
  const { upload, call } = await setUp()
  await upload(content)
  const limit = { limit: 'max_inline_bytes', maximum: 64 * 1024, actual: content.length }
  await assert.rejects(call('GetBlob', { oid, revision: '', path: '' }), {
    code: 'resource_exhausted',
    details: { limit: { ...limit, oid } }
  })
  const fields = { oid, revision: '', path: '' }
  await assert.rejects(call('GetObject', fields), { code: 'resource_exhausted', message: /DownloadBlob/ })
  const stored = call('StoreObject', { kind: 'blob', content, check: '' })
  await assert.rejects(stored, { code: 'resource_exhausted', message: /UploadBlob/, details: { limit } })
  const entries = [{ path: 'dir/big.bin', rawPath: noPath, oid, mode: '100644' }]
  const tree = (await call('StoreTree', { baseTree: '', entries })) as { oid: string }
  const listed = await call('GetTree', { revision: tree.oid, path: '', recursive: true, pageSize: 0, pageToken: '' })
  assert.equal((listed as Messages['GetTreeResponse']).entries.at(-1)?.oid, oid)
})

test('a large .gitmodules is refused where a tree by its bytes names it, as git fsck refuses it', async () => {
  const { upload, call } = await setUp()
  await upload(content)
  const entry = (name: string) => Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(oid, 'hex')])
  const store = (name: string) => call('StoreObject', { kind: 'tree', content: entry(name), check: 'strict' })
  await assert.rejects(store('.gitmodules'), { code: 'invalid_argument', message: /gitmodulesLarge/ })
  assert.equal(((await store('modules')) as { size: number }).size, entry('modules').length)
})
