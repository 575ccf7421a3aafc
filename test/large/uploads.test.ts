/** Uploads end to end, over the three transports, with limits so small that all is large. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { blobOid, type Interceptor, type TransferProgress, type UploadSource } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'
import { later } from '../support/until.ts'

const limits = { maxInlineBytes: 4096, chunkBytes: 2048 }

for (const transport of transports) {
  test(`${transport}: every source becomes the blob that git would make of it`, async (context) => {
    const fixture = atEnd(context, await testServer({ limits }))
    const repo = fixture.client({ transport }).repository('demo')
    await repo.createRepository()
    const file = join(fixture.data, 'a.bin')
    const sources: Record<string, (content: Buffer<ArrayBuffer>) => UploadSource> = {
      bytes: (content) => content,
      text: (content) => content.toString('hex'),
      blob: (content) => new Blob([content]),
      file: () => ({ file }),
      'file URL': () => ({ file: pathToFileURL(file) }),
      'Node stream': (content) => Readable.from([content.subarray(0, 5000), content.subarray(5000)]),
      'web stream': (content) => new Blob([content]).stream(),
      function: (content) => () => Readable.from([content])
    }
    for (const [name, make] of Object.entries(sources)) {
      for (const bytes of [0, 4096, 4097, 50_000]) {
        const content = Buffer.from(randomBytes(bytes))
        await writeFile(file, content)
        const expected = name === 'text' ? Buffer.from(content.toString('hex')) : content
        const { oid, size } = await repo.upload(make(content))
        assert.deepEqual([oid, size], [blobOid(expected), expected.length], `${name}, ${bytes} bytes`)
        assert.deepEqual((await repo.findMissing([oid])).missing, [], name)
      }
    }
  })

  test(`${transport}: progress, and what the server has is not sent again`, async (context) => {
    const fixture = atEnd(context, await testServer({ limits }))
    const client = fixture.client({ transport })
    const repo = client.repository('demo')
    await repo.createRepository()
    const content = randomBytes(30_000)
    const seen: TransferProgress[] = []
    const onProgress = (progress: TransferProgress) => seen.push(progress)
    const { oid } = await repo.upload(content, { onProgress })
    const sent = client.stats().transfers
    assert.deepEqual([sent.started, sent.bytesSent, sent.failures, sent.retries], [1, 30_000, 0, 0])
    const last = { phase: 'upload', files: 1, totalFiles: 1, transferredBytes: 30_000, totalBytes: 30_000 }
    assert.deepEqual({ ...seen.at(-1), bytesPerSecond: 0 }, { ...last, bytesPerSecond: 0 })

    assert.deepEqual(await repo.upload(content, { onProgress }), { oid, size: 30_000 })
    async function* stream() {
      yield content
    }
    assert.deepEqual(await repo.upload(stream(), { oid }), { oid, size: 30_000 })
    assert.equal(client.stats().transfers.bytesSent, 30_000)
    assert.deepEqual({ ...seen.at(-1), phase: '', bytesPerSecond: 0 }, { ...last, phase: '', bytesPerSecond: 0 })
  })
}

test('an interceptor sees one call without a deadline, and its headers go with the content', async (context) => {
  const fixture = atEnd(context, await testServer({ limits }))
  const seen: string[] = []
  const interceptor: Interceptor = (call, next) => {
    if (call.method !== 'createRepository') seen.push(`${call.method} ${call.remainingMs()}`)
    return next({ ...call, headers: { ...call.headers, 'x-trace': 'one' } })
  }
  const timeoutMs = 1000
  const client = fixture.client({ interceptors: [interceptor], timeoutMs })
  const repo = client.repository('demo')
  await repo.createRepository()
  const content = randomBytes(100_000)
  async function* slow() {
    yield content
    await later(timeoutMs + 100)
    yield content
  }
  assert.equal((await repo.upload(slow())).size, 200_000)
  assert.equal((await repo.storeBlob(content.subarray(1))).size, 99_999)
  assert.deepEqual(seen, ['upload Infinity', 'storeBlob Infinity'])
})
