/** The real client where sessions cannot be had, break, or are left. */
import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { startServerProcess } from '../../server-fixture/process.ts'
import { type BlobwireError, type Client, createClient } from '../../src/index.ts'
import { startTcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { clientScript, startNode } from '../support/child.ts'
import { blobOid, faultyNetwork, transports } from '../support/faulty-network.ts'
import { startLoad } from '../support/load.ts'
import { startReverseProxy } from '../support/reverse-proxy.ts'
import { atEnd, testServer } from '../support/server.ts'
import { BlockingStore, SharedStore } from '../support/stores.ts'
import { settlesWithin, until } from '../support/until.ts'

/** Stores so many at once; each must come back with its own oid. */
async function storeMany(client: Client, count: number, prefix = 'content'): Promise<void> {
  const contents = Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
  const stored = await Promise.all(contents.map((content) => client.storeBlob('demo', content)))
  assert.deepEqual(
    stored.map(({ oid }) => oid),
    contents.map(blobOid)
  )
}

for (const status of [404, 501, 505]) {
  test(`a server that answers ${status} to Session: batches go as unary requests, decided once`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const proxy = await startReverseProxy(context, fixture.server, {
      buffersRequests: true,
      statusOf: ({ ':path': path }) => (path?.endsWith('/Session') ? status : undefined)
    })
    for (const transport of ['json', 'msgpack'] as const) {
      proxy.seen.length = 0
      const client = fixture.keep(createClient({ endpoint: proxy.url, transport }))
      await client.createRepository('demo')
      await storeMany(client, 500)
      await storeMany(client, 500, 'again')
      const { batching, noSessionReason } = client.stats()
      assert.equal(batching, 'unary')
      assert.notEqual(noSessionReason, '')
      assert.equal(proxy.seen.filter((path) => path.endsWith('/Session')).length, 1)
      assert.ok(proxy.seen.length < 30, `${proxy.seen.length} requests`)
    }
  })
}

test('a proxy that buffers requests is noticed, and no call is lost', async (context) => {
  const fixture = atEnd(context, await testServer())
  const proxy = await startReverseProxy(context, fixture.server, { buffersRequests: true })
  const client = fixture.keep(createClient({ endpoint: proxy.url }))
  await client.createRepository('demo')
  await storeMany(client, 300)
  const { batching, noSessionReason } = client.stats()
  assert.deepEqual([batching, noSessionReason], ['unary', 'session_silent'])
  await storeMany(client, 300, 'again')
  assert.equal(proxy.seen.filter((path) => path.endsWith('/Session')).length, 1)
})

for (const isCold of [true, false]) {
  test(`gRPC through a proxy that buffers requests, ${isCold ? 'without' : 'with'} an open connection: noticed as well`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const proxy = await startReverseProxy(context, fixture.server, { buffersRequests: true })
    await fixture.client().createRepository('demo')
    const client = fixture.keep(createClient({ endpoint: proxy.url.replace('http', 'grpc'), transport: 'grpc' }))
    if (!isCold) await client.createRepository('demo')
    await storeMany(client, 300)
    const { batching, noSessionReason } = client.stats()
    assert.deepEqual([batching, noSessionReason], ['unary', 'session_silent'])
  })
}

for (const transport of transports) {
  test(`${transport}: a connection that is reset with 200 calls in flight: each has its answer, once`, async (context) => {
    const store = new BlockingStore()
    store.release()
    const { proxy, client: open } = await faultyNetwork(context, transport, { store })
    const client = open()
    await storeMany(client, 1, 'before')
    store.block()
    context.after(() => store.release())
    const contents = Array.from({ length: 200 }, (_, index) => `content-${index}`)
    const calls = contents.map((content) => client.storeBlob('demo', content))
    await until(() => client.stats().framedOperations === 201 && store.waiting > 0, 'calls in flight')
    proxy.reset()
    store.release()
    const stored = await Promise.all(calls)
    assert.deepEqual(
      stored.map(({ oid }) => oid),
      contents.map(blobOid)
    )
    assert.equal(client.stats().resent, 200)
    await storeMany(client, 10, 'after')
  })

  test(`${transport}: a server that is replaced under load: no call fails`, async (context) => {
    const store = new SharedStore()
    await store.createRepository('demo', 'sha1')
    const originOf = (server: { http: string; grpc: string }) => (transport === 'grpc' ? server.grpc : server.http)
    const first = await testServer({ store })
    const second = atEnd(context, await testServer({ store }))
    const proxy = atEnd(context, await startTcpProxy(originOf(first.server)))
    const scheme = transport === 'grpc' ? 'grpc' : 'http'
    const client = second.keep(createClient({ endpoint: `${scheme}://127.0.0.1:${proxy.port}`, transport }))
    const load = startLoad(client, 50)
    await load.answers(1000)
    proxy.target = originOf(second.server)
    // The server cuts off after 8 s the connections that clients have not left.
    await settlesWithin(Promise.resolve(first[Symbol.asyncDispose]()), 7000)
    await load.answers(1000)
    await load.stop()
    assert.equal(client.stats().failures, 0)
    assert.ok(client.stats().sessions >= 2)
  })

  test(`${transport}: 1,000 calls, 200 of them aborted: each ends by itself`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const client = fixture.client({ transport })
    await client.createRepository('demo')
    await storeMany(client, 10)
    const controllers = Array.from({ length: 1000 }, () => new AbortController())
    const calls = controllers.map(({ signal }, index) => client.storeBlob('demo', `c-${index}`, { signal }))
    for (const [index, controller] of controllers.entries()) {
      if (index % 5 !== 0) continue
      if (index % 2) controller.abort()
      else process.nextTick(() => controller.abort())
    }
    const ends = await Promise.allSettled(calls)
    for (const [index, end] of ends.entries()) {
      if (end.status === 'fulfilled') assert.equal(end.value.oid, blobOid(`c-${index}`))
      else {
        assert.equal(index % 5, 0, String(end.reason))
        assert.equal((end.reason as BlobwireError).code, 'cancelled')
      }
    }
    const aborted = ends.filter(({ status }) => status === 'rejected').length
    assert.equal(aborted, 200)
    await storeMany(client, 100, 'after')
  })
}

const closing = `
const client = createClient({ endpoint: process.argv[1], transport: process.argv[2] })
const calls = Array.from({ length: 100 }, (_, index) => client.storeBlob('demo', 'content ' + index))
setTimeout(async () => {
  const sent = client.stats().framedOperations
  const settled = Promise.allSettled(calls)
  await client.close()
  const ends = await settled
  const reasons = new Set(ends.map(({ reason }) => reason?.code + ' ' + reason?.reason))
  console.log(JSON.stringify({ sent, reasons: [...reasons] }))
  // Fires only where something else keeps the process alive.
  setTimeout(() => process.exit(9), 1000).unref()
}, 300)
`

for (const transport of transports) {
  test(`${transport}: closing with calls in flight settles them, and the process ends by itself`, async (context) => {
    const store = new BlockingStore()
    await store.createRepository('demo', 'sha1')
    const fixture = atEnd(context, await testServer({ store }))
    context.after(() => store.release())
    const url = transport === 'grpc' ? fixture.server.grpc.replace(/^http/, 'grpc') : fixture.server.http
    const child = startNode(...clientScript(closing), url, transport)
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    const [code] = await once(child, 'close')
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(output), { sent: 100, reasons: ['cancelled client_closed'] })
  })
}

const resources = () => process.getActiveResourcesInfo().sort().join()

for (const transport of transports) {
  test(`${transport}: after 25,000 calls, heap, timers, sockets and listeners are where they were`, async (context) => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const server = await startServerProcess()
    context.after(() => server.stop())
    const endpoint = transport === 'grpc' ? server.grpc.href.replace(/^http/, 'grpc') : server.http.href
    const client = createClient({ endpoint, transport })
    context.after(() => client.close())
    await client.createRepository('demo')
    const { signal } = new AbortController()
    const round = async () => {
      for (let turn = 0; turn < 5; turn++) {
        const calls = Array.from({ length: 1000 }, (_, index) => client.storeBlob('demo', `${index}`, { signal }))
        await Promise.all(calls)
      }
      collect()
      return process.memoryUsage().heapUsed
    }
    await round()
    const before = await round()
    const busy = resources()
    for (let turn = 0; turn < 4; turn++) await round()
    const grown = (await round()) - before
    assert.ok(grown < 1024 * 1024, `the heap has grown by ${grown} bytes`)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
    assert.equal(resources(), busy)
    assert.equal(client.stats().queued, 0)
  })
}
