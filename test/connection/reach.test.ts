/** A token goes to the hosts that the application gave, and to no other, whatever a server says. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type BlobwireError, createClient } from '../../src/index.ts'
import { startPeer } from '../support/http2-peer.ts'
import { atEnd, testServer } from '../support/server.ts'

/** An endpoint whose capabilities say that gRPC is at `grpcUrl`. */
async function startNaming(context: TestContext, grpcUrl: string) {
  return startPeer(context, (stream, headers) => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' })
    const isAsked = String(headers[':path']).endsWith('/GetCapabilities')
    stream.end(JSON.stringify(isAsked ? { transports: [{ transport: 'grpc', url: grpcUrl }] } : { name: 'demo' }))
  })
}

/** A proxy that leads each authority to a port of this machine, and keeps the heads of its requests. */
async function startConnectProxy(context: TestContext, ports: Readonly<Record<string, number>>) {
  const heads: string[] = []
  const sockets = new Set<Socket>()
  const proxy = createServer((socket) => {
    sockets.add(socket)
    socket.once('data', (head: Buffer) => {
      heads.push(head.toString())
      const [, authority = ''] = /^CONNECT (\S+)/.exec(head.toString()) ?? []
      const upstream = connect(ports[authority] ?? 0, '127.0.0.1')
      sockets.add(upstream)
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      for (const end of [socket, upstream]) end.on('error', () => undefined)
      socket.pipe(upstream).pipe(socket)
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  return { url: `http://127.0.0.1:${(proxy.address() as { port: number }).port}`, heads }
}

for (const named of ['grpc://elsewhere.invalid', 'http://10.255.255.1', 'grpcs://elsewhere.invalid']) {
  test(`a gRPC address at ${named}, which was not given, is refused`, async (context) => {
    const peer = await startNaming(context, `${named}:4101`)
    const client = createClient({ endpoint: peer.url, transport: 'grpc', token: 'secret', timeoutMs: 5000 })
    context.after(() => client.close())
    await assert.rejects(client.getRepository('x'), (error: BlobwireError) => {
      const { code, reason, retryable, attempts } = error
      assert.deepEqual([code, reason, retryable, attempts], ['failed_precondition', 'host_refused', false, 1])
      assert.ok(error.message.includes(`${new URL(named.replace(/^grpcs?/, 'http')).hostname}:4101`), error.message)
      assert.match(error.message, /option endpoint/)
      return true
    })
    assert.ok(!JSON.stringify(peer.seen).includes('secret'))
  })
}

test('a server elsewhere that names this machine is not followed to this machine, and its proxy gets no token', async (context) => {
  const here = await startPeer(context, (stream) => stream.respond({ ':status': 200 }, { endStream: true }))
  const peer = await startNaming(context, here.url.replace('http', 'grpc'))
  const proxy = await startConnectProxy(context, { 'far.invalid:4100': peer.port })
  const endpoint = 'http://far.invalid:4100'
  const connection = { proxy: proxy.url }
  const client = createClient({ endpoint, transport: 'grpc', token: 'secret', connection, timeoutMs: 5000 })
  context.after(() => client.close())
  await assert.rejects(client.getRepository('x'), { reason: 'host_refused' })
  assert.deepEqual([here.sessions, proxy.heads.length], [[], 1])
})

for (const transport of ['json', 'msgpack', 'grpc'] as const) {
  test(`${transport}: the token goes through the tunnel, and not to the proxy`, async (context) => {
    const fixture = atEnd(
      context,
      await testServer({ grants: [{ token: 'secret', access: 'write', repositories: ['*'] }] })
    )
    const { server } = fixture
    const url = new URL(transport === 'grpc' ? server.grpc : server.http)
    const proxy = await startConnectProxy(context, { 'far.invalid:4100': Number(url.port) })
    const connection = { proxy: proxy.url.replace('//', '//name:word@') }
    const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://far.invalid:4100`
    const client = fixture.client({ endpoint, transport, token: 'secret', connection, timeoutMs: 5000 })
    await client.createRepository('demo')
    assert.ok(proxy.heads.length > 0)
    for (const head of proxy.heads) {
      assert.match(head, /^CONNECT far\.invalid:\d+ HTTP\/1\.1\r\n/)
      assert.match(head, /proxy-authorization: Basic /i)
      assert.doesNotMatch(head, /secret|\r\nauthorization/i)
    }
  })
}

test('a gRPC address at a host that is another endpoint is used', async (context) => {
  const { server } = atEnd(context, await testServer({ hosts: ['two.invalid'] }))
  const peer = await startNaming(context, 'grpc://two.invalid:4101')
  const ports = {
    'one.invalid:4100': peer.port,
    'two.invalid:4100': peer.port,
    'two.invalid:4101': Number(new URL(server.grpc).port)
  }
  const { url, heads } = await startConnectProxy(context, ports)
  const endpoint = ['http://one.invalid:4100', 'http://two.invalid:4100']
  const client = createClient({ endpoint, transport: 'grpc', connection: { proxy: url }, timeoutMs: 5000 })
  context.after(() => client.close())
  // Both endpoints are asked, of which only one is the host that they name.
  await Promise.all(Array.from({ length: 10 }, (_, index) => client.createRepository(`demo-${index}`)))
  for (const authority of Object.keys(ports)) assert.ok(heads.some((head) => head.startsWith(`CONNECT ${authority} `)))
})

test('all names of this machine for itself are one host', async (context) => {
  const { server } = atEnd(context, await testServer())
  const peer = await startNaming(context, server.grpc.replace('http://127.0.0.1', 'grpc://localhost'))
  const client = createClient({ endpoint: peer.url, transport: 'grpc', timeoutMs: 5000 })
  context.after(() => client.close())
  await client.createRepository('demo')
})
