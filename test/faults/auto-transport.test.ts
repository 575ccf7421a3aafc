/** The transport that `auto` selects with real servers: gRPC where it can be had, else MessagePack, and no call fails. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createAuthenticator } from '../../server-fixture/auth.ts'
import { openHttpServer } from '../../server-fixture/http/http-server.ts'
import { route } from '../../server-fixture/http/routes.ts'
import { MemoryBudget } from '../../server-fixture/memory-budget.ts'
import { ServerMetrics } from '../../server-fixture/metrics/server-metrics.ts'
import { Service } from '../../server-fixture/service/service.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import type { Client } from '../../src/index.ts'
import { startTcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { blobOid } from '../support/faulty-network.ts'
import { isGrpc, startHttp1ReverseProxy, startReverseProxy } from '../support/reverse-proxy.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const asGrpc = (url: string) => url.replace(/^http/, 'grpc')

/** Many calls at once from the first one on, single ones, a batch; none may fail. */
async function work(client: Client): Promise<void> {
  await Promise.all(Array.from({ length: 20 }, () => client.createRepository('demo')))
  const contents = Array.from({ length: 100 }, (_, index) => `${index}`)
  const stored = await Promise.all(contents.map((content) => client.storeBlob('demo', content)))
  assert.deepEqual(
    stored.map(({ oid }) => oid),
    contents.map(blobOid)
  )
  await client.getCapabilities()
  const results = await client.batch('demo', [{ storeBlob: { content: 'a' } }, { findMissing: { oids: [] } }])
  assert.equal(results[0].value?.oid, blobOid('a'))
  assert.equal(client.stats().failures, 0)
}

function picked(client: Client): unknown[] {
  const { transport, transportReason, batching } = client.stats()
  return [transport, transportReason, batching]
}

/** A port without a listener. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A reverse proxy for which a test can close the gRPC server: its requests are then answered with 503. */
async function startGateway(context: TestContext, upstream: { readonly http: string; readonly grpc: string }) {
  const state = { grpcRequests: 0, open: true }
  const peer = await startReverseProxy(context, upstream, {
    statusOf(headers) {
      if (!isGrpc(headers)) return undefined
      state.grpcRequests++
      return state.open ? undefined : 503
    }
  })
  return Object.assign(state, peer)
}

/** The HTTP server alone, with capabilities that name a gRPC server as well. */
async function startHttpServer(context: TestContext, grpcUrl: string): Promise<string> {
  const service = new Service(new MemoryStore(), { serverVersion: '0', onInternalError: () => undefined })
  const timeouts = { headersTimeoutMs: 10_000, bodyTimeoutMs: 30_000, idleTimeoutMs: 120_000, callTimeoutMs: 120_000 }
  const address = { name: 'http' as const, host: '127.0.0.1', port: 0, tls: undefined, transferDrainMs: 5000 }
  const options = { ...address, ...timeouts, onConnectionError: () => undefined }
  const memory = new MemoryBudget(service.limits)
  const metrics = new ServerMetrics()
  const dependencies = { service, authenticator: createAuthenticator([]), memory, metrics }
  const listener = await openHttpServer(dependencies, options, route)
  context.after(() => listener.close())
  const url = `http://127.0.0.1:${listener.port}`
  service.announce([
    { transport: 'json', url },
    { transport: 'msgpack', url },
    { transport: 'grpc', url: grpcUrl }
  ])
  return url
}

for (const batch of [{}, false] as const) {
  const way = batch ? 'on sessions' : 'as requests'
  const batching = batch ? 'session' : 'off'

  test(`${way}: everything works: MessagePack for http://, gRPC for grpc://`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const { http, grpc } = fixture.server
    const gateway = await startGateway(context, fixture.server)
    for (const [endpoint, transport] of [
      [http, 'msgpack'],
      [asGrpc(grpc), 'grpc'],
      // The HTTP port takes gRPC, too.
      [asGrpc(http), 'grpc'],
      [asGrpc(gateway.url), 'grpc']
    ] as const) {
      const client = fixture.client({ endpoint, transport: 'auto', batch })
      await work(client)
      assert.deepEqual(picked(client), [transport, '', batching])
    }
    assert.ok(gateway.grpcRequests > 0)
  })

  test(`${way}: a gateway does not reach the gRPC server: MessagePack`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const gateway = await startGateway(context, fixture.server)
    gateway.open = false
    const client = fixture.client({ endpoint: asGrpc(gateway.url), transport: 'auto', batch })
    await work(client)
    assert.deepEqual(picked(client), ['msgpack', 'unavailable', batching])
    const before = gateway.grpcRequests
    await work(client)
    assert.equal(gateway.grpcRequests, before, 'that is remembered')
  })

  test(`${way}: a port that speaks HTTP/2, and no gRPC: MessagePack`, async (context) => {
    const fixture = atEnd(context, await testServer())
    // As servers of earlier versions answer, whose HTTP port takes no gRPC.
    const proxy = await startReverseProxy(context, fixture.server, {
      statusOf: (headers) => (isGrpc(headers) ? 415 : undefined)
    })
    const client = fixture.client({ endpoint: asGrpc(proxy.url), transport: 'auto', batch })
    await work(client)
    const [transport, reason, how] = picked(client)
    assert.deepEqual([transport, how], ['msgpack', batching])
    assert.notEqual(reason, '')
  })

  test(`${way}: a port that speaks HTTP/1.1: MessagePack, as requests`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const proxy = await startHttp1ReverseProxy(context, fixture.server)
    const client = fixture.client({ endpoint: asGrpc(proxy.url), transport: 'auto', batch })
    await work(client)
    assert.deepEqual(picked(client), ['msgpack', 'unavailable', batch ? 'unary' : 'off'])
  })

  test(`${way}: gRPC is in the capabilities, and its port is closed: MessagePack for http://`, async (context) => {
    const url = await startHttpServer(context, `grpc://127.0.0.1:${await closedPort()}`)
    const fixture = atEnd(context, await testServer())
    const client = fixture.client({ endpoint: url, transport: 'auto', batch, retry: false })
    await work(client)
    // A call that asks for gRPC gets gRPC or an error; other calls are not affected.
    const asked = client.storeBlob('demo', 'b', { transport: 'grpc', timeoutMs: 5000 })
    await assert.rejects(asked, { code: 'unavailable', sent: 'never' })
    assert.equal((await client.storeBlob('demo', 'b')).oid, blobOid('b'))
    assert.deepEqual(picked(client), ['msgpack', '', batching])
  })

  test(`${way}: the gRPC server opens late: the early call gets there, by gRPC`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const proxy = atEnd(context, await startTcpProxy(fixture.server.grpc))
    proxy.refuse()
    const endpoint = `grpc://127.0.0.1:${proxy.port}`
    const retry = { maxAttempts: 100, baseMs: 20, maxMs: 50 }
    const client = fixture.client({ endpoint, transport: 'auto', batch, retry, breaker: false })
    const early = work(client)
    await Promise.race([until(() => client.stats().retries > 40, 'it tries again'), early])
    await proxy.accept()
    await early
    assert.deepEqual(picked(client), ['grpc', '', batching])
  })

  test(`${way}: gRPC is kept once it has worked, although its server goes away`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const gateway = await startGateway(context, fixture.server)
    const client = fixture.client({
      endpoint: asGrpc(gateway.url),
      transport: 'auto',
      batch,
      retry: false,
      breaker: false
    })
    await work(client)
    gateway.open = false
    for (const session of gateway.sessions) session.destroy()
    await assert.rejects(client.storeBlob('demo', 'c'), { code: 'unavailable', transport: 'grpc' })
    assert.deepEqual(picked(client).slice(0, 2), ['grpc', ''])
    gateway.open = true
    assert.equal((await client.storeBlob('demo', 'c')).oid, blobOid('c'))
    assert.deepEqual(picked(client).slice(0, 2), ['grpc', ''])
  })
}
