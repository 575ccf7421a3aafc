/** HTTP proxies: only where they are asked for, the same on every transport, and the token stays inside the tunnel. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { proxyFor } from '../../src/connection/dial/proxy.ts'
import { parseEndpoint } from '../../src/connection/endpoint.ts'
import { type BlobwireError, createClient } from '../../src/index.ts'
import { answer, openWay, startPeer } from '../support/http2-peer.ts'
import { pem } from '../support/pem.ts'
import { atEnd, testServer } from '../support/server.ts'
import { startTunnelProxy } from '../support/tunnel-proxy.ts'

/** Sets variables for the time of a test. */
function environment(context: TestContext, variables: Record<string, string>): void {
  const before = { ...process.env }
  Object.assign(process.env, variables)
  context.after(() => {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  })
}

for (const transport of ['json', 'msgpack', 'grpc'] as const) {
  for (const secure of [false, true]) {
    const title = `${transport}${secure ? ' with TLS' : ''}`

    async function setUp(context: TestContext) {
      const pair = { cert: pem('server.pem'), key: pem('server.key') }
      const files = { ...pair }
      const fixture = atEnd(context, await testServer(secure ? { tls: files } : {}))
      const base = transport === 'grpc' ? fixture.server.grpc.replace('http', 'grpc') : fixture.server.http
      const tls = secure ? { ca: pem('ca.pem') } : undefined
      return {
        fixture,
        endpoint: base,
        target: new URL(fixture.server[transport === 'grpc' ? 'grpc' : 'http']).host,
        tls
      }
    }

    test(`${title}: through the proxy that is named, with its credentials`, async (context) => {
      const { fixture, endpoint, target, tls } = await setUp(context)
      const proxy = await startTunnelProxy(context, 'user:p@ss')
      const connection = { proxy: `http://user:p%40ss@127.0.0.1:${proxy.port}` }
      const client = fixture.keep(createClient({ endpoint, transport, tls, connection, token: 'secret-token' }))
      await client.createRepository('demo')
      const { oid } = await client.storeBlob('demo', 'x')
      assert.equal(Buffer.from((await client.getBlob('demo', oid)).content).toString(), 'x')
      assert.deepEqual(proxy.tunnels, [`user:p@ss@${target}`])
      assert.doesNotMatch(proxy.heard.join(), /secret-token/)
      assert.equal(client.stats().batching, 'session')
    })

    test(`${title}: variables of the environment count only where they are asked for`, async (context) => {
      const { fixture, endpoint, target, tls } = await setUp(context)
      const proxy = await startTunnelProxy(context)
      const url = `http://127.0.0.1:${proxy.port}`
      environment(context, { http_proxy: url, https_proxy: url, grpc_proxy: url, no_proxy: 'other.test' })
      const direct = fixture.keep(createClient({ endpoint, transport, tls }))
      await direct.createRepository('demo')
      assert.deepEqual(proxy.tunnels, [])
      const client = fixture.keep(createClient({ endpoint, transport, tls, connection: { proxy: 'environment' } }))
      await client.storeBlob('demo', 'x')
      assert.deepEqual(proxy.tunnels, [`@${target}`])
      process.env['no_proxy'] = 'other.test,127.0.0.1'
      const excepted = fixture.keep(createClient({ endpoint, transport, tls, connection: { proxy: 'environment' } }))
      await excepted.storeBlob('demo', 'x')
      assert.equal(proxy.tunnels.length, 1)
    })
  }

  test(`${transport}: a refusing proxy fails the call, and the proxy is not bypassed`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const proxy = await startTunnelProxy(context, 'user:right')
    const endpoint = transport === 'grpc' ? fixture.server.grpc.replace('http', 'grpc') : fixture.server.http
    const connection = { proxy: `http://user:wrong@127.0.0.1:${proxy.port}` }
    const client = fixture.keep(createClient({ endpoint, transport, connection, timeoutMs: 2000 }))
    await assert.rejects(client.createRepository('demo'), (error: BlobwireError) => {
      assert.deepEqual([error.code, error.sent], ['unavailable', 'never'])
      assert.doesNotMatch(error.message, /wrong/)
      return true
    })
    assert.ok(proxy.tunnels.length >= 1)
  })
}

test('the server’s first bytes may come in one piece with the answer of the proxy', async (context) => {
  const peer = await startPeer(context, (stream) => answer(stream, 'ok'))
  const proxy = createTcpServer((client) => {
    client.on('error', () => undefined)
    client.once('data', () => {
      const behind = connect(peer.port, '127.0.0.1')
      behind.on('error', () => undefined)
      behind.once('data', (first: Buffer) => {
        client.write(Buffer.concat([Buffer.from('HTTP/1.0 200 OK\r\n\r\n'), first]))
        client.pipe(behind).pipe(client)
      })
      client.on('close', () => behind.destroy())
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  context.after(() => proxy.close())
  const { port } = proxy.address() as AddressInfo
  assert.equal(
    await openWay(context, peer.url, { proxy: `http://127.0.0.1:${port}`, connectTimeoutMs: 2000 }).get('/'),
    'ok'
  )
})

test('a proxy behind TLS: JSON and MessagePack work, gRPC fails with a reason', async (context) => {
  const fixture = atEnd(context, await testServer())
  const inner = await startTunnelProxy(context)
  const server = createTlsServer({ cert: pem('server.pem'), key: pem('server.key') })
  server.on('connect', () => assert.fail('its certificate is not to be trusted'))
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  const proxy = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = fixture.keep(createClient({ endpoint: fixture.server.http, connection: { proxy }, timeoutMs: 2000 }))
  await assert.rejects(client.createRepository('demo'), { code: 'unavailable', reason: 'tls', sent: 'never' })
  const grpc = fixture.keep(
    createClient({ endpoint: fixture.server.grpc.replace('http', 'grpc'), connection: { proxy }, timeoutMs: 2000 })
  )
  await assert.rejects(grpc.createRepository('demo'), /connection.proxy: must be an http:\/\/ URL for gRPC/)
  assert.deepEqual(inner.tunnels, [])
})

test('the proxy that the environment names', () => {
  const plain = parseEndpoint('http://api.example.com:8080')
  const secure = parseEndpoint('https://api.example.com')
  const v6 = parseEndpoint('http://[::1]:8080')
  const port = (endpoint: typeof plain, variables: Record<string, string>) =>
    proxyFor('environment', endpoint, variables)?.port
  assert.equal(port(plain, { http_proxy: 'http://p:1', https_proxy: 'http://p:2' }), 1)
  assert.equal(port(secure, { http_proxy: 'http://p:1', https_proxy: 'http://p:2' }), 2)
  assert.equal(port(secure, { HTTPS_PROXY: 'http://p:2' }), 2)
  assert.equal(port(plain, { HTTP_PROXY: 'http://p:1' }), undefined, 'a CGI program gets this from a header')
  assert.equal(port(plain, { all_proxy: 'p:3' }), 3)
  assert.equal(port(plain, {}), undefined)
  const without = (no_proxy: string, endpoint = plain) =>
    port(endpoint, { http_proxy: 'http://p:1', no_proxy }) === undefined
  for (const entry of [
    '*',
    'example.com',
    '.example.com',
    '*.example.com',
    'API.example.com',
    'api.example.com:8080',
    'x, example.com'
  ]) {
    assert.ok(without(entry), entry)
  }
  for (const entry of ['', 'ample.com', 'api.example.com:80', 'com.', 'other.example.com', '.']) {
    assert.ok(!without(entry), entry)
  }
  for (const entry of ['[::1]', '::1', '[::1]:8080']) assert.ok(without(entry, v6), entry)
  assert.ok(!without('[::1]:80', v6))
  assert.throws(
    () => proxyFor('environment', plain, { http_proxy: 'socks5://u:secret@h' }),
    (error: Error) => {
      assert.doesNotMatch(error.message, /secret/)
      return true
    }
  )
})
