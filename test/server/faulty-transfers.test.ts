/** Faults in the middle of uploads and downloads, around the service and over a network. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { Effect } from '../../server-fixture/faults/effects.ts'
import { withEffects } from '../../server-fixture/faults/effects.ts'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { withFaults } from '../../server-fixture/faults/faulty-service.ts'
import { checkRule, type Fault } from '../../server-fixture/faults/rules.ts'
import type { CallContext } from '../../server-fixture/service/context.ts'
import { Service } from '../../server-fixture/service/service.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { hashObject } from '../../src/git/oid.ts'

const content = randomBytes(100_000)
const oid = hashObject('blob', content, 'sha1')
const untold = { oid: undefined, sha256: undefined }
const gone = { code: 'cancelled' }

async function setUp() {
  const effects: Effect[] = []
  const store = withEffects(new MemoryStore(), (effect) => effects.push(effect))
  await store.createRepository('demo', 'sha1')
  effects.length = 0
  const limits = { chunkBytes: 10_000 }
  const service = new Service(store, {
    limits,
    serverVersion: '0',
    onInternalError: (error) => assert.fail(`${error}`)
  })
  const faults = new Faults()
  const faulty = withFaults(service, faults)
  const context: CallContext = {
    principal: { may: () => true },
    signal: new AbortController().signal,
    requestId: 'test'
  }
  const open = (offset = 0, uploadId = 'u') =>
    faulty.upload({ repository: 'demo', uploadId, size: content.length, offset, oid: undefined }, context)
  const upload = async (uploadId = 'u') => {
    const incoming = await open(0, uploadId)
    for (let at = 0; at < content.length; at += 7000) await incoming.write(content.subarray(at, at + 7000))
    return incoming
  }
  const download = async (offset = 0) => {
    const request = { repository: 'demo', oid, offset, length: 0, revision: '', path: '', rawPath: new Uint8Array(0) }
    const chunks: Uint8Array[] = []
    const read = async () => {
      const blob = await faulty.download(request, context)
      for await (const chunk of blob.chunks()) chunks.push(chunk)
    }
    const error = await read().catch((failure) => failure)
    return { error, bytes: Buffer.concat(chunks) }
  }
  const add = (rpc: 'UploadBlob' | 'DownloadBlob' | '*', fault: Fault, count = 1) => faults.add({ rpc, count, fault })
  return { effects, faults, open, upload, download, add }
}

for (const kind of ['cut', 'silence'] as const) {
  test(`${kind}: an upload keeps the bytes before it, and goes on there`, async () => {
    const { faults, effects, open, upload, add } = await setUp()
    add('UploadBlob', { kind, afterBytes: 33_333 })
    await assert.rejects(upload(), gone)
    const next = await open(33_333)
    await next.write(content.subarray(33_333))
    assert.equal((await next.finish(untold)).oid, oid)
    assert.deepEqual([faults.fired(kind), faults.carriedOut('UploadBlob')], [1, 1])
    assert.deepEqual(effects, [{ kind: 'object', repository: 'demo', name: oid }])
  })

  test(`${kind}: a download has the bytes before it`, async () => {
    const { upload, download, add } = await setUp()
    await (await upload()).finish(untold)
    add('DownloadBlob', { kind, afterBytes: 44_444 })
    const { error, bytes } = await download()
    assert.equal(error.code, 'cancelled')
    assert.ok(content.subarray(0, 44_444).equals(bytes))
    const rest = await download(44_444)
    assert.deepEqual([rest.error, content.subarray(44_444).equals(rest.bytes)], [undefined, true])
  })
}

test('cut with jitter: elsewhere each time, and the same with the same seed', async () => {
  const cuts: number[][] = []
  for (let run = 0; run < 2; run++) {
    const { upload, download, add } = await setUp()
    await (await upload()).finish(untold)
    add('DownloadBlob', { kind: 'cut', afterBytes: 50_000, jitterBytes: 20_000 }, 5)
    const lengths: number[] = []
    for (let cut = 0; cut < 5; cut++) lengths.push((await download()).bytes.length)
    assert.equal((await download()).bytes.length, content.length)
    cuts.push(lengths)
  }
  assert.deepEqual(cuts[0], cuts[1])
  assert.equal(new Set(cuts[0]).size, 5)
  for (const length of cuts[0] ?? []) assert.ok(length >= 30_000 && length <= 70_000, `${length}`)
})

test('cut happens to transfers alone, whatever its rule names', async () => {
  const { faults, download, upload, add } = await setUp()
  await (await upload()).finish(untold)
  add('*', { kind: 'cut', afterBytes: 10 })
  await faults.around(['GetBlob'], { requestId: 'x', signal: new AbortController().signal }, async () => undefined)
  assert.equal(faults.fired('cut'), 0)
  assert.equal((await download()).bytes.length, 10)
  assert.throws(() => checkRule({ rpc: '*', fault: { kind: 'cut' } }), /afterBytes: must be a number from 0 up/)
})

test('corrupt: the server sees it in an upload and stores nothing, the client in a download', async () => {
  const { effects, upload, download, add } = await setUp()
  add('UploadBlob', { kind: 'corrupt', afterBytes: 50_000 })
  const damaged = await upload()
  await assert.rejects(damaged.finish({ oid, sha256: undefined }), { code: 'data_loss', reason: 'integrity' })
  await damaged.release()
  assert.deepEqual(effects, [])
  assert.equal((await (await upload()).finish({ oid, sha256: undefined })).oid, oid)
  add('DownloadBlob', { kind: 'corrupt', afterBytes: 50_000 })
  const { error, bytes } = await download()
  assert.equal(error, undefined)
  const different = [...bytes.keys()].filter((at) => bytes[at] !== content[at])
  assert.deepEqual([bytes.length, different], [content.length, [50_000]])
})

test('lost_answer: the blob is stored, and is one effect however often it is uploaded', async () => {
  const { faults, effects, upload, open, add } = await setUp()
  add('UploadBlob', { kind: 'lost_answer' })
  const first = await upload()
  await assert.rejects(first.finish(untold), gone)
  assert.equal((await (await open(content.length)).finish(untold)).oid, oid)
  assert.equal((await (await upload('another')).finish(untold)).oid, oid)
  assert.deepEqual(effects, [{ kind: 'object', repository: 'demo', name: oid }])
  assert.equal(faults.carriedOut('UploadBlob'), 3)
})

test('status and delay happen before a byte is taken', async () => {
  const { faults, open, download, add } = await setUp()
  add('UploadBlob', { kind: 'status', code: 'unavailable' })
  await assert.rejects(open(), { code: 'unavailable', reason: 'fault' })
  add('DownloadBlob', { kind: 'status', code: 'resource_exhausted', retryAfterMs: 5 })
  assert.deepEqual((await download()).error.details, { retryAfterMs: 5 })
  add('UploadBlob', { kind: 'delay', ms: 1 })
  assert.equal((await open()).offset, 0)
  assert.deepEqual([faults.fired('status'), faults.fired('delay')], [2, 1])
})
