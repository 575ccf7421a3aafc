/** Real servers as endpoints, of which one goes away and comes back; and what `auto` makes of servers that speak less. */
import assert from 'node:assert/strict'
import { connect } from 'node:http2'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { startServer } from '../../server-fixture/server.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { createClient } from '../../src/index.ts'
import { blobOid, transports } from '../support/faulty-network.ts'
import { startHttp1Proxy } from '../support/http1-proxy.ts'
import { startPeer, until } from '../support/http2-peer.ts'
import { atEnd, testServer } from '../support/server.ts'

/** One database behind several servers, or behind one that is started again. */
class KeptStore extends MemoryStore {
  override async close() {}
}

for (const transport of transports) {
  for (const batch of [{}, false] as const) {
    const way = batch ? 'on sessions' : 'as requests'
    test(`${transport}, ${way}: an endpoint is closed and opened again under load: no call fails, and its load comes back`, async (context) => {
      const store = new KeptStore()
      await store.createRepository('demo', 'sha1')
      const servers = [
        await startServer({ store }),
        await startServer({ store }),
        await startServer({ store })
      ] as const
      context.after(() => Promise.all(servers.map((server) => server.close())))
      const urls = servers.map(({ http, grpc }) => (transport === 'grpc' ? grpc.replace('http', 'grpc') : http))
      const client = createClient({ endpoint: urls, transport, batch, breaker: { openMs: 200 }, timeoutMs: 10_000 })
      context.after(() => client.close())
      let done = 0
      let stop = false
      const worker = async (name: number) => {
        for (let turn = 0; !stop; turn++) {
          const content = `${name} ${turn}`
          assert.equal((await client.storeBlob('demo', content)).oid, blobOid(content))
          done++
        }
      }
      const workers = Promise.all(Array.from({ length: 20 }, (_, name) => worker(name)))
      workers.catch(() => undefined)
      const progress = (isSo: () => boolean, what: string) =>
        Promise.race([until(isSo, what), workers]).catch(async (error) => {
          stop = true
          await workers
          throw error
        })
      await progress(() => done > 100, 'load')
      const [first] = servers
      await first.close()
      const before = done
      await progress(() => done > before + 200, 'the others take over')
      const faults = new Faults()
      const ports = { httpPort: Number(new URL(first.http).port), grpcPort: Number(new URL(first.grpc).port) }
      const again = await startServer({ store, faults, ...ports })
      context.after(() => again.close())
      await progress(() => faults.carriedOut('StoreBlob') > 20, 'the load comes back')
      stop = true
      await workers
      assert.equal(client.stats().failures, 0)
    })
  }
}

test('auto, where MessagePack is not spoken: JSON, and no call fails', async (context) => {
  const fixture = atEnd(context, await testServer())
  const behind = connect(fixture.server.http)
  behind.on('error', () => undefined)
  context.after(() => behind.destroy())
  let refused = 0
  const peer = await startPeer(context, (stream, headers) => {
    if (String(headers['content-type']).includes('msgpack')) {
      refused++
      stream.resume()
      stream.respond({ ':status': 415 }, { endStream: true })
      return
    }
    const request = behind.request(headers)
    request.on('error', () => stream.destroy())
    request.on('response', (answer) => {
      if (!stream.destroyed) stream.respond(answer)
    })
    stream.on('close', () => request.destroy())
    stream.pipe(request).pipe(stream)
  })
  const client = fixture.client({ endpoint: peer.url, transport: 'auto' })
  await client.createRepository('demo')
  for (const content of ['a', 'b', 'c']) assert.equal((await client.storeBlob('demo', content)).oid, blobOid(content))
  assert.equal(client.stats().transport, 'json')
  assert.notEqual(client.stats().transportReason, '')
  assert.ok(refused >= 1 && refused <= 3, `${refused} requests in MessagePack`)
})

test('auto, where only HTTP/1.1 gets through: the same batches as requests, and no call fails', async (context) => {
  const fixture = atEnd(context, await testServer())
  const proxy = atEnd(context, await startHttp1Proxy(fixture.server.http))
  const client = fixture.client({ endpoint: proxy.url, transport: 'auto' })
  context.after(() => client.close())
  await client.createRepository('demo')
  for (const content of ['a', 'b', 'c']) assert.equal((await client.storeBlob('demo', content)).oid, blobOid(content))
  const { transport, batching, noSessionReason, failures } = client.stats()
  assert.deepEqual([transport, batching, noSessionReason, failures], ['msgpack', 'unary', 'not_http2', 0])
})
