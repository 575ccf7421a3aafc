/** `client.stats()` counts calls by method, attempts by endpoint, and bytes before compression. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailureCounts } from '../../src/core/failure-counts.ts'
import { LatencyHistogram } from '../../src/core/latency-histogram.ts'
import { blobOid } from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'

test('calls are counted by method, failures by code and reason', async (context) => {
  const server = atEnd(context, await testServer())
  const client = server.client()
  await client.createRepository('demo')
  await Promise.all(['a', 'b', 'c'].map((content) => client.storeBlob('demo', content)))
  await assert.rejects(client.getBlob('demo', blobOid('never stored')))
  const content = new Uint8Array(2_000_000)
  const { oid } = await client.upload('demo', content)
  await client.download('demo', oid).bytes()
  await assert.rejects(client.download('demo', blobOid('never stored')).bytes())
  const { methods, endpoints, calls, failures } = client.stats()
  const row = (name: string) => methods.find(({ method }) => method === name)
  const counts = Object.fromEntries(
    methods.map(({ method, latency, failures }) => [method, [latency.count, failures.map(({ count }) => count)]])
  )
  assert.deepEqual(
    { ...counts, getRepository: undefined, getCapabilities: undefined, findMissing: undefined },
    {
      createRepository: [1, []],
      storeBlob: [3, []],
      getBlob: [0, [1]],
      uploadBlob: [1, []],
      downloadBlob: [1, [1]],
      getRepository: undefined,
      getCapabilities: undefined,
      findMissing: undefined
    }
  )
  assert.deepEqual(row('getBlob')?.failures, [{ code: 'not_found', reason: 'object', count: 1 }])
  const ended = methods.filter(({ method }) => !method.endsWith('loadBlob')).flatMap(({ latency }) => latency.count)
  assert.equal(ended.reduce((sum, count) => sum + count, 0) + failures, calls)
  const { boundsMs, counts: stored, sumMs = 0 } = row('storeBlob')?.latency ?? { boundsMs: [], counts: [] }
  assert.equal(stored.length, boundsMs.length + 1)
  assert.equal(
    stored.reduce((sum, count) => sum + count),
    3
  )
  assert.ok(sumMs > 0)
  const [endpoint] = endpoints
  assert.equal(endpoint?.attempts, calls + 3)
  assert.deepEqual(endpoint?.failures, [{ code: 'not_found', reason: 'object', count: 2 }])
  assert.ok((endpoint?.latency.count ?? 0) > 0)
})

test('the ratio of compression is that of the bytes before and after', async (context) => {
  const server = atEnd(context, await testServer())
  const text = 'compressible '.repeat(20_000)
  for (const batch of [{}, false] as const) {
    const client = server.client({ batch, compression: 'always' })
    await client.createRepository('demo')
    const { oid } = await client.storeBlob('demo', text)
    await client.getBlob('demo', oid)
    const { bytesSent, uncompressedBytesSent, bytesReceived, uncompressedBytesReceived, compressionRatio } =
      client.stats()
    assert.ok(uncompressedBytesSent > text.length && uncompressedBytesReceived > text.length)
    assert.ok(bytesSent < text.length / 10 && bytesReceived < text.length / 10, `${bytesSent} ${bytesReceived}`)
    assert.equal(compressionRatio, uncompressedBytesSent / bytesSent)
  }
})

test('without compression, both counts are the same', async (context) => {
  const server = atEnd(context, await testServer())
  for (const transport of ['msgpack', 'grpc'] as const) {
    for (const batch of [{}, false] as const) {
      const client = server.client({ transport, batch, compression: 'none' })
      await client.createRepository('demo')
      await client.storeBlob('demo', 'content')
      const stats = client.stats()
      assert.equal(stats.uncompressedBytesSent, stats.bytesSent)
      assert.equal(stats.uncompressedBytesReceived, stats.bytesReceived)
    }
  }
})

test('a duration is in the bucket whose bound it does not exceed', () => {
  const histogram = new LatencyHistogram()
  for (const ms of [0, 0.5, 0.51, 60_000, 60_001]) histogram.record(ms)
  const { counts, count, sumMs } = histogram.buckets()
  assert.deepEqual([counts[0], counts[1], counts.at(-2), counts.at(-1)], [2, 1, 1, 1])
  assert.deepEqual([count, Math.floor(sumMs)], [5, 120_002])
})

test('reasons that a server invents stay bounded', () => {
  const failures = new FailureCounts()
  for (let number = 0; number < 1000; number++) failures.add({ code: 'internal', reason: `r${number}` })
  const all = failures.all()
  assert.ok(all.length <= 101)
  assert.equal(
    all.reduce((sum, { count }) => sum + count, 0),
    1000
  )
  assert.equal(all.at(-1)?.reason, '')
})
