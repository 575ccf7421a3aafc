/** Reads of blobs that are too large for an answer: the client downloads them, and the caller does nothing different. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { BlobwireError, blobOid, type Interceptor } from '../../src/index.ts'
import { largeContent, largeServer, storeLarge } from '../support/large-blobs.ts'
import { until } from '../support/until.ts'

const transports = ['json', 'msgpack', 'grpc'] as const
const content = largeContent(200_000)
const other = largeContent(150_000, 2)
const author = { name: 'Ada', email: 'ada@example.org' }

for (const store of ['memory', 'git'] as const) {
  test(`getBlob and getObject of large blobs, by oid and by revision and path, ${store} store`, async (context) => {
    const fixture = await largeServer(context, { store })
    const oid = await storeLarge(fixture, content)
    const changes = { 'a.bin': { oid }, small: 'small' }
    await fixture.client().commitFiles('demo', { branch: 'main', changes, message: 'm\n', author })
    for (const transport of transports) {
      const repo = fixture.client({ transport }).repository('demo')
      const blob = { oid, size: content.length, content }
      assert.deepEqual(await repo.getBlob(oid), blob)
      assert.deepEqual(await repo.getBlob({ revision: 'main', path: 'a.bin' }), blob)
      assert.deepEqual(await repo.getObject(oid), { ...blob, kind: 'blob' })
      assert.deepEqual(await repo.getObject({ revision: 'main', path: 'a.bin' }), { ...blob, kind: 'blob' })
    }
  })
}

test('a ref that points to a large blob is read by its name', async (context) => {
  const fixture = await largeServer(context)
  const oid = await storeLarge(fixture, content)
  const repo = fixture.client().repository('demo')
  await repo.updateRefs([{ name: 'refs/tags/blob', expectedOid: null, newOid: oid }])
  assert.deepEqual(await repo.getObject({ revision: 'blob' }), { oid, kind: 'blob', size: content.length, content })
})

test('a batch has each blob as it was when the batch came to it, in order, beside other results', async (context) => {
  const fixture = await largeServer(context)
  const first = await storeLarge(fixture, content)
  const second = await storeLarge(fixture, other)
  const client = fixture.client()
  const commit = (oid: string) => ({ branch: 'main', changes: { 'a.bin': { oid } }, message: 'm\n', author })
  await client.commitFiles('demo', commit(first))
  const address = { revision: 'main', path: 'a.bin' }
  for (const transport of transports) {
    const results = await fixture
      .client({ transport })
      .batch('demo', [
        { getBlob: address },
        { commitFiles: commit(second) },
        { getObject: address },
        { getBlob: { oid: 'ab'.repeat(20) } },
        { storeBlob: { content: 'small' } },
        { commitFiles: commit(first) },
        { getBlob: { oid: blobOid('small') } }
      ])
    const [before, , after, missing, , , small] = results
    assert.deepEqual(before.value, { oid: first, size: content.length, content })
    assert.deepEqual(after.value, { oid: second, kind: 'blob', size: other.length, content: other })
    assert.equal(missing.error?.reason, 'object')
    assert.equal(small.value?.size, 5)
  }
})

test('the time that the caller gave bounds the whole; without it, bytes that move are enough', async (context) => {
  const faults = new Faults()
  const fixture = await largeServer(context, { faults })
  const oid = await storeLarge(fixture, content)
  faults.add({ rpc: 'DownloadBlob', fault: { kind: 'silence', afterBytes: 50_000 } })
  // The same time as the client's own, given, is a time for the whole all the same.
  const hurried = fixture.client({ timeoutMs: 300 })
  await assert.rejects(hurried.getBlob('demo', oid, { timeoutMs: 300 }), { code: 'deadline_exceeded' })
  const client = fixture.client({ timeoutMs: 1000 })
  const error = await client.getBlob('demo', oid, { timeoutMs: 500 }).catch((reason) => reason)
  assert.ok(error instanceof BlobwireError)
  assert.deepEqual([error.code, error.method], ['deadline_exceeded', 'getBlob'])
  assert.match(error.stack ?? '', /large-reads\.test\.ts/)
  let isOver = false
  const aborted = new AbortController()
  const unbounded = client.getBlob('demo', oid, { signal: aborted.signal }).finally(() => {
    isOver = true
  })
  unbounded.catch(() => undefined)
  await until(() => client.stats().transfers.bytesReceived > 50_000, 'the second download is under way')
  // A message that was sent later has had all the time that messages have.
  faults.add({ rpc: 'GetCommit', fault: { kind: 'silence' } })
  await assert.rejects(client.getCommit('demo'), { code: 'deadline_exceeded' })
  assert.equal(isOver, false)
  aborted.abort()
  await assert.rejects(unbounded, { code: 'cancelled' })
})

test('the bytes are held against the oid', async (context) => {
  const faults = new Faults()
  const fixture = await largeServer(context, { faults })
  const oid = await storeLarge(fixture, content)
  faults.add({ rpc: 'DownloadBlob', fault: { kind: 'corrupt', afterBytes: 50_000 } })
  for (const transport of transports) {
    const client = fixture.client({ transport })
    await assert.rejects(client.getBlob('demo', oid), { code: 'data_loss', reason: 'integrity', method: 'getBlob' })
    const [{ error }] = await client.batch('demo', [{ getBlob: { oid } }])
    assert.deepEqual([error?.reason, error?.method], ['integrity', 'batch'])
  }
})

test('calls that pass interceptors have the time that their bytes take, too, and headers of their own', async (context) => {
  const faults = new Faults()
  const fixture = await largeServer(context, { faults })
  const oid = await storeLarge(fixture, content)
  faults.add({ rpc: 'DownloadBlob', fault: { kind: 'silence', afterBytes: 50_000 } })
  faults.add({ rpc: 'GetCommit', fault: { kind: 'silence' } })
  const signals: AbortSignal[] = []
  const withHeader: Interceptor = (call, next) => {
    if (call.method !== 'getCommit') signals.push(call.signal)
    return next({ ...call, headers: { ...call.headers, 'x-own': 'yes' } })
  }
  for (const interceptors of [[withHeader], [((call, next) => next(call)) satisfies Interceptor]]) {
    const client = fixture.client({ timeoutMs: 700, interceptors })
    let ended = 0
    const aborted = new AbortController()
    const reads = [
      client.getBlob('demo', oid, { signal: aborted.signal }),
      client.batch('demo', [{ getBlob: { oid } }], { signal: aborted.signal })
    ].map((read: Promise<unknown>) =>
      read.then(
        () => ended++,
        () => ended++
      )
    )
    await until(() => client.stats().transfers.bytesReceived > 90_000, 'both downloads are under way')
    await assert.rejects(client.getCommit('demo'), { code: 'deadline_exceeded' })
    assert.equal(ended, 0)
    assert.ok(signals.every((signal) => !signal.aborted))
    signals.length = 0
    aborted.abort()
    await Promise.all(reads)
  }
})
