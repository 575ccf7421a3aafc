/** Commits and batches whose contents are files, streams and large bytes, over the three transports. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { CallInvoker } from '../../src/client/call-invoker.ts'
import { resolveOptions } from '../../src/client/options.ts'
import { Repository } from '../../src/client/repository.ts'
import { blobOid, type Change, type Interceptor, type TransferProgress } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const limits = { maxInlineBytes: 4096, chunkBytes: 2048, maxBatchBytes: 16 * 1024 }
const commit = { branch: 'main', message: 'm\n', author: { name: 'Ada', email: 'ada@example.org' } }

async function oidsOf(repo: Repository): Promise<Record<string, string>> {
  const { entries } = await repo.getTree({ revision: 'main', recursive: true })
  return Object.fromEntries(entries.filter(({ mode }) => mode !== '040000').map(({ path, oid }) => [path, oid]))
}

for (const transport of transports) {
  test(`${transport}: a commit takes contents of every kind and size, and each content once`, async (context) => {
    const fixture = atEnd(context, await testServer({ limits }))
    const client = fixture.client({ transport })
    const repo = client.repository('demo')
    await repo.createRepository()
    const [large, other, medium] = [
      Buffer.from(randomBytes(20_000)),
      Buffer.from(randomBytes(20_000)),
      randomBytes(3000)
    ]
    const file = join(fixture.data, 'large.bin')
    const copy = join(fixture.data, 'copy.bin')
    for (const path of [file, copy]) await writeFile(path, large)
    const seen: TransferProgress[] = []
    const changes: Record<string, Change> = {
      'bytes.bin': large,
      'file.bin': { file },
      'copy.bin': { content: { file: copy }, mode: '100755', expectedOid: null },
      'blob.bin': { content: new Blob([other]) },
      'stream.bin': Readable.from([other]),
      'function.bin': () => Readable.from([medium]),
      'text.txt': 'é'.repeat(3000),
      'small.txt': 'small'
    }
    const { oid } = await repo.commitFiles(
      { ...commit, changes },
      { onProgress: (progress) => seen.push(progress), stallTimeoutMs: 10_000 }
    )
    assert.deepEqual(await oidsOf(repo), {
      'bytes.bin': blobOid(large),
      'file.bin': blobOid(large),
      'copy.bin': blobOid(large),
      'blob.bin': blobOid(other),
      'stream.bin': blobOid(other),
      'function.bin': blobOid(medium),
      'text.txt': blobOid('é'.repeat(3000)),
      'small.txt': blobOid('small')
    })
    assert.equal((await repo.getCommit('main')).commit.oid, oid)
    const { entries } = await repo.getTree({ revision: 'main' })
    assert.equal(entries.find(({ path }) => path === 'copy.bin')?.mode, '100755')
    assert.equal(seen.at(-1)?.phase, 'commit')
    // Thrice the same bytes and twice the others: each is sent once, but for a stream, whose oid is known at its end.
    assert.equal(client.stats().transfers.bytesSent, 20_000 + 20_000 + 20_000 + 6000)

    // All of it is there: nothing is sent a second time.
    const again = client.stats().transfers.bytesSent
    await repo.commitFiles({ ...commit, changes: { 'a/b.bin': { file }, 'bytes.bin': other } })
    assert.equal(client.stats().transfers.bytesSent, again)
    assert.equal((await oidsOf(repo))['a/b.bin'], blobOid(large))
  })

  test(`${transport}: many small files are one commit, stored in groups`, async (context) => {
    const fixture = atEnd(context, await testServer({ limits }))
    const client = fixture.client({ transport })
    const repo = client.repository('demo')
    await repo.createRepository()
    const changes: Record<string, Change> = {}
    const expected: Record<string, string> = {}
    await mkdir(join(fixture.data, 'files'))
    for (let index = 0; index < 100; index++) {
      const content = `${index % 60} `.repeat(500)
      const file = join(fixture.data, 'files', `${index}`)
      await writeFile(file, content)
      changes[`${index}`] = { file }
      expected[`${index}`] = blobOid(content)
    }
    await repo.commitFiles({ ...commit, changes })
    assert.deepEqual(await oidsOf(repo), expected)
    assert.equal((await repo.listCommits({ revision: 'main' })).commits.length, 1)
    assert.equal(client.stats().transfers.started, 0)
  })

  test(`${transport}: a batch takes blobs and commits of any size, and one that fails fails alone`, async (context) => {
    const fixture = atEnd(context, await testServer({ limits }))
    const repo = fixture.client({ transport }).repository('demo')
    await repo.createRepository()
    const large = randomBytes(50_000)
    const file = join(fixture.data, 'file')
    await writeFile(file, large.subarray(1))
    const missing = join(fixture.data, 'missing')
    const results = await repo.batch([
      { storeBlob: { content: large } },
      { storeBlob: { content: 'small' } },
      { storeObject: { kind: 'blob', content: large.subarray(2) } },
      { commitFiles: { ...commit, changes: { a: { file }, b: large } } },
      { commitFiles: { ...commit, branch: 'other', changes: { a: { file: missing } } } }
    ])
    assert.deepEqual(results[0].value, { oid: blobOid(large), size: 50_000 })
    assert.equal(results[1].ok, true)
    assert.deepEqual(results[2].value, { oid: blobOid(large.subarray(2)), size: 49_998, warnings: [] })
    assert.deepEqual(await oidsOf(repo), { a: blobOid(large.subarray(1)), b: blobOid(large) })
    const { error } = results[4]
    assert.deepEqual([error?.code, error?.reason], ['aborted', 'source_failed'])
    assert.match(
      error?.message ?? '',
      /operations\[4\]\.commitFiles: changes\["a"\]: the file ".*missing" cannot be opened/
    )
    await assert.rejects(
      repo.batch([{ commitFiles: { ...commit, changes: { a: { file: missing } } } }], { atomic: true }),
      { code: 'aborted', reason: 'source_failed' }
    )
  })
}

test('the first content that fails ends the others, and nothing is committed', async (context) => {
  const fixture = atEnd(context, await testServer({ limits }))
  const client = fixture.client()
  const repo = client.repository('demo')
  await repo.createRepository()
  let ended = false
  async function* endless() {
    try {
      for (;;) yield await new Promise<Uint8Array>((resolve) => setImmediate(() => resolve(new Uint8Array(1000))))
    } finally {
      ended = true
    }
  }
  async function* failing() {
    yield new Uint8Array(10_000)
    throw new Error('no more')
  }
  const failed = repo.commitFiles({ ...commit, changes: { 'a.bin': endless(), 'b.bin': failing() } })
  await assert.rejects(failed, {
    reason: 'source_failed',
    message: /commitFiles at .*: changes\["b\.bin"\]: the source failed: no more/
  })
  // A generator ends behind the piece that it waits for.
  await until(() => ended, 'the other source has ended')
  assert.deepEqual((await repo.listRefs()).refs, [])
})

test('a commit of what is wrong is refused before a content is read', async (context) => {
  const fixture = atEnd(context, await testServer({ limits }))
  const repo = fixture.client().repository('demo')
  await repo.createRepository()
  let reads = 0
  const content = () => {
    reads++
    return Readable.from(['x'])
  }
  await assert.rejects(repo.commitFiles({ ...commit, changes: { 'a/../b': content } }), { code: 'invalid_argument' })
  await assert.rejects(repo.commitFiles({ ...commit, branch: 'refs/tags/x', changes: { a: content } }), {
    code: 'invalid_argument'
  })
  assert.equal(reads, 0)
})

test('small contents are stored in groups, before the others are read', async (context) => {
  const fixture = atEnd(context, await testServer({ limits }))
  const events: string[] = []
  const interceptors: Interceptor[] = [
    {
      request(request, next) {
        if (request.method === 'batchOperations') events.push('store')
        return next(request)
      }
    }
  ]
  const repo = fixture.client({ interceptors, transport: 'json' }).repository('demo')
  await repo.createRepository()
  const changes: Record<string, Change> = {}
  for (let index = 0; index < 40; index++) {
    const blob = new Blob([`${index} `.repeat(1000)])
    const slice = (start?: number) => {
      events.push('read')
      return blob.slice(start)
    }
    const { size } = blob
    changes[`${index}`] = { size, slice, stream: () => blob.stream(), arrayBuffer: () => blob.arrayBuffer() }
  }
  await repo.commitFiles({ ...commit, changes })
  assert.equal(events.filter((event) => event === 'read').length, 40)
  assert.ok(events.indexOf('store') < 20, events.join(' '))
})

test('equal contents are sent once over a fast link, too, where nothing is looked for', async (context) => {
  const fixture = atEnd(context, await testServer({ limits }))
  const invoker = new CallInvoker(resolveOptions({ endpoint: fixture.server.http }))
  context.after(() => invoker.close())
  const repo = new Repository('demo', invoker)
  await repo.createRepository()
  invoker.caches.uploadBytesPerSecond = 1e12
  const content = Buffer.from(randomBytes(20_000))
  const changes = { a: content, b: Buffer.from(content), c: new Blob([content]), d: Buffer.from(randomBytes(10_000)) }
  await repo.commitFiles({ ...commit, changes })
  assert.equal(invoker.counters.transfers.bytesSent, 30_000)
  // Of the one whose size no other has, nobody asked whether it is there.
  assert.equal(invoker.counters.transfers.started, 2)
})

test('a signed commit takes files, and is made after they are stored', async (context) => {
  const fixture = atEnd(context, await testServer({ limits }))
  const repo = fixture.client().repository('demo')
  await repo.createRepository()
  const large = randomBytes(20_000)
  const file = join(fixture.data, 'file')
  await writeFile(file, large)
  const sign = () => '-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n'
  const { oid } = await repo.commitFiles({ ...commit, changes: { a: { file }, b: 'b' }, sign })
  assert.deepEqual(await oidsOf(repo), { a: blobOid(large), b: blobOid('b') })
  assert.match(Buffer.from((await repo.getObject(oid)).content).toString(), /^gpgsig -----BEGIN SSH/m)
})
