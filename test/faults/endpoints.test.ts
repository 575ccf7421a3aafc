/** Real servers as endpoints, of which one goes away and comes back; and `auto` with servers that speak less. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { startServer } from '../../server-fixture/server.ts'
import { createClient } from '../../src/index.ts'
import { blobOid, transports } from '../support/faulty-network.ts'
import { startLoad } from '../support/load.ts'
import { ownPorts } from '../support/ports.ts'
import { startHttp1ReverseProxy, startReverseProxy } from '../support/reverse-proxy.ts'
import { atEnd, testServer } from '../support/server.ts'
import { SharedStore } from '../support/stores.ts'

for (const transport of transports) {
  for (const batch of [{}, false] as const) {
    const way = batch ? 'on sessions' : 'as requests'
    test(`${transport}, ${way}: an endpoint is closed and opened again under load: no call fails, and its load comes back`, async (context) => {
      const store = new SharedStore()
      await store.createRepository('demo', 'sha1')
      const ports = await ownPorts()
      const servers = [
        await startServer({ store, ...ports }),
        await startServer({ store }),
        await startServer({ store })
      ] as const
      context.after(() => Promise.all(servers.map((server) => server.close())))
      const urls = servers.map(({ http, grpc }) => (transport === 'grpc' ? grpc.replace('http', 'grpc') : http))
      const client = createClient({ endpoint: urls, transport, batch, breaker: { openMs: 200 }, timeoutMs: 10_000 })
      context.after(() => client.close())
      const load = startLoad(client, 20)
      await load.answers(100)
      const [first] = servers
      await first.close()
      await load.answers(200)
      const faults = new Faults()
      const again = await startServer({ store, faults, ...ports })
      context.after(() => again.close())
      await load.until(() => faults.carriedOut('StoreBlob') > 20, 'the load comes back')
      await load.stop()
      assert.equal(client.stats().failures, 0)
    })
  }
}

test('auto, where MessagePack is not spoken: JSON, and no call fails', async (context) => {
  const fixture = atEnd(context, await testServer())
  let refused = 0
  const proxy = await startReverseProxy(context, fixture.server, {
    statusOf(headers) {
      if (!String(headers['content-type']).includes('msgpack')) return undefined
      refused++
      return 415
    }
  })
  const client = fixture.client({ endpoint: proxy.url, transport: 'auto' })
  await client.createRepository('demo')
  for (const content of ['a', 'b', 'c']) assert.equal((await client.storeBlob('demo', content)).oid, blobOid(content))
  assert.equal(client.stats().transport, 'json')
  assert.notEqual(client.stats().transportReason, '')
  assert.ok(refused >= 1 && refused <= 3, `${refused} requests in MessagePack`)
})

test('auto, where only HTTP/1.1 gets through: the same batches as requests, and no call fails', async (context) => {
  const fixture = atEnd(context, await testServer())
  const proxy = await startHttp1ReverseProxy(context, fixture.server)
  const client = fixture.client({ endpoint: proxy.url, transport: 'auto' })
  context.after(() => client.close())
  await client.createRepository('demo')
  for (const content of ['a', 'b', 'c']) assert.equal((await client.storeBlob('demo', content)).oid, blobOid(content))
  const { transport, batching, noSessionReason, failures } = client.stats()
  assert.deepEqual([transport, batching, noSessionReason, failures], ['msgpack', 'unary', 'not_http2', 0])
})
