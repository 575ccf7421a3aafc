/** Networks that are far away, narrow, or cut everything into crumbs: slower, and right. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { blobOid, faultyNetwork, transports } from '../support/faulty-network.ts'

for (const transport of transports) {
  test(`${transport}: 200 +- 50 ms away, 200 calls take a few round trips, and each has its own answer`, async (context) => {
    const { proxy, client: open } = await faultyNetwork(context, transport)
    proxy.set({ latencyMs: 100, jitterMs: 25 })
    const client = open({ timeoutMs: 20_000 })
    const contents = Array.from({ length: 200 }, (_, index) => `content ${index}`)
    const began = performance.now()
    const stored = await Promise.all(contents.map((content) => client.storeBlob('demo', content)))
    const read = await Promise.all(stored.map(({ oid }) => client.getBlob('demo', oid)))
    const tookMs = performance.now() - began
    assert.deepEqual(
      read.map(({ content }) => Buffer.from(content).toString()),
      contents
    )
    // Connection, session and frames; one call after the other would take 80 s.
    assert.ok(tookMs > 300 && tookMs < 5000, `${tookMs} ms`)
  })

  test(`${transport}: over 100 KB/s, small calls beside a large one are not lost`, async (context) => {
    const { proxy, client: open } = await faultyNetwork(context, transport)
    const client = open({ timeoutMs: 20_000 })
    proxy.set({ bytesPerSecond: 100_000 })
    const large = randomBytes(60_000)
    const [{ oid }, ...small] = await Promise.all([
      client.storeBlob('demo', large),
      ...Array.from({ length: 20 }, (_, index) => client.storeBlob('demo', `small ${index}`))
    ])
    assert.equal(oid, blobOid(large))
    for (const [index, stored] of small.entries()) assert.equal(stored.oid, blobOid(`small ${index}`))
    assert.ok(large.equals((await client.getBlob('demo', oid)).content))
  })

  for (const batch of [{}, false] as const) {
    const way = batch ? 'on a session' : 'as single requests'
    test(`${transport}, ${way}: slices of 7 bytes are put together in time that grows with the bytes`, async (context) => {
      const { proxy, client: open } = await faultyNetwork(context, transport)
      const client = open({ gzip: false, timeoutMs: 30_000, ...(batch === false ? { batch } : {}) })
      const sizes = [32_000, 32_000, 256_000]
      const contents = sizes.map((size) => randomBytes(size))
      const oids = await Promise.all(contents.map(async (content) => (await client.storeBlob('demo', content)).oid))
      proxy.setToClient({ sliceBytes: 7 })
      const times: number[] = []
      for (const [index, oid] of oids.entries()) {
        const began = performance.now()
        const { content } = await client.getBlob('demo', oid)
        times.push(performance.now() - began)
        assert.ok(contents[index]?.equals(content))
      }
      // 8 times the bytes: 8 times the time, and not 64 times.
      const [first = 0, second = 0, large = 0] = times
      assert.ok(large < 24 * Math.min(first, second), `${times} ms`)
    })
  }

  test(`${transport}: requests in slices of 7 bytes are understood`, async (context) => {
    const { proxy, client: open } = await faultyNetwork(context, transport)
    const client = open({ timeoutMs: 30_000 })
    proxy.setToServer({ sliceBytes: 7 })
    const content = randomBytes(50_000)
    const [{ oid }, other] = await Promise.all([client.storeBlob('demo', content), client.storeBlob('demo', 'other')])
    assert.deepEqual([oid, other.oid], [blobOid(content), blobOid('other')])
  })
}
