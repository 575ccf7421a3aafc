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
    // A round trip each for the blobs and their contents; one call after the other would miss its deadline.
    assert.ok(tookMs > 300, `${tookMs} ms`)
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
    test(`${transport}, ${way}: slices of 7 bytes are put together without copying them over and over`, async (context) => {
      const { proxy, client: open } = await faultyNetwork(context, transport)
      const client = open({ gzip: false, timeoutMs: 30_000, ...(batch === false ? { batch } : {}) })
      const content = randomBytes(128_000)
      const { oid } = await client.storeBlob('demo', content)
      proxy.setToClient({ sliceBytes: 7 })
      // At 7 bytes a turn of the event loop, the measure is the number of copied bytes.
      const { concat } = Buffer
      let copied = 0
      context.mock.method(Buffer, 'concat', (...parameters: Parameters<typeof concat>) => {
        const joined = concat(...parameters)
        copied += joined.length
        return joined
      })
      const answer = await client.getBlob('demo', oid)
      context.mock.restoreAll()
      assert.ok(content.equals(answer.content))
      // Each slice joined to all before it would be 1.2 GB.
      assert.ok(copied < 10 * content.length, `${copied} bytes`)
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
