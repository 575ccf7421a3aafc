/** One client that uses all addresses of a name: over each transport, with real servers. */
import assert from 'node:assert/strict'
import dns, { type LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { createServer, type ServerHttp2Stream } from 'node:http2'
import { syncBuiltinESMExports } from 'node:module'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { test } from 'node:test'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import type { AddressGuard } from '../../src/connection/dial/address-guard.ts'
import { createConnector } from '../../src/connection/dial/connector.ts'
import { parseEndpoint } from '../../src/connection/endpoint.ts'
import { type Client, type ClientOptions, createClient } from '../../src/index.ts'
import { resolveConnection } from '../../src/options/resolve.ts'
import { pem } from '../support/pem.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

/** Addresses of the name `localhost`, which the certificate of the servers is for. */
let addresses: string[] = []

/** Holds the next answer back: that of the first question, which is for all addresses. */
let held: Promise<void> | undefined

// Both ways in which the client and grpc-js ask the system.
const { lookup } = dns
const { lookup: lookupPromise } = dns.promises
const found = () => addresses.map((address) => ({ address, family: 4 }))
dns.lookup = ((host: string, options: object, callback: (error: null, found: LookupAddress[]) => void) => {
  if (host !== 'localhost') return lookup(host, options, callback as never)
  const until = held ?? Promise.resolve()
  held = undefined
  until.then(() => callback(null, found()))
}) as typeof dns.lookup
dns.promises.lookup = (async (host: string, options: object) =>
  host === 'localhost' ? found() : lookupPromise(host, options)) as typeof dns.promises.lookup
syncBuiltinESMExports()

const used = (client: Client) => client.stats().endpoints.flatMap((endpoint) => endpoint.addresses)
const content = new Uint8Array(50)

/** Servers on one store, at different addresses of this machine and the same ports. */
async function replicas(isSecure: boolean) {
  const store = new MemoryStore()
  await store.createRepository('demo', 'sha1')
  const files = { cert: pem('server.pem'), key: pem('server.key') }
  const start = (host: string, ports = {}) => testServer({ store, host, tls: isSecure ? files : undefined, ...ports })
  const first = await start('127.0.0.2')
  const [httpPort, grpcPort] = [first.server.http, first.server.grpc].map((url) => Number(new URL(url).port))
  return { first, start: (host: string) => start(host, { httpPort, grpcPort }), httpPort, grpcPort }
}

const ways = [
  ['msgpack', 'https'],
  ['grpc', 'grpcs'],
  ['grpc', 'http']
] as const
for (const [transport, scheme] of ways) {
  test(`${transport}, ${scheme}: calls spread over the addresses, leave one that goes, and find one that is new`, async (context) => {
    const { first, start, httpPort, grpcPort } = await replicas(scheme.endsWith('s'))
    const second = await start('127.0.0.3')
    addresses = ['127.0.0.2', '127.0.0.3']
    const client = createClient({
      endpoint: `${scheme}://localhost:${scheme.startsWith('http') ? httpPort : grpcPort}`,
      transport,
      tls: { ca: pem('ca.pem') },
      connection: { addresses: 'all' }
    })
    const open = [first, second]
    context.after(async () => {
      await client.close()
      for (const server of open) await server[Symbol.asyncDispose]()
    })
    const call = () => client.storeBlob('demo', content)
    const answer = Promise.withResolvers<void>()
    held = answer.promise
    await call()
    // A watch on the connection that the client begins with, which it leaves soon.
    const watch = client.repository('demo').watch()
    await watch.next()
    assert.equal(client.stats().connections.open, 1)
    answer.resolve()
    await until(() => used(client).length === 2, 'both addresses are in use')
    for (let round = 0; round < 10; round++) await Promise.all([call(), call(), call(), call()])
    await until(() => client.stats().connections.open === 2, 'one connection for each address')
    const [one, other] = used(client).map(({ attempts }) => attempts) as [number, number]
    assert.ok(Math.abs(one - other) <= 4, `${one} and ${other}`)
    const third = await start('127.0.0.4')
    open.push(third)
    addresses = ['127.0.0.2', '127.0.0.4']
    const closed = second[Symbol.asyncDispose]()
    const isNew = () => used(client).some(({ address }) => address === '127.0.0.4')
    while (!isNew()) await Promise.all([call(), call()])
    await closed
    await until(() => used(client).length === 2, 'the address that is gone is left')
    for (let round = 0; round < 4; round++) await Promise.all([call(), call(), call(), call()])
    const next = watch.next()
    const newOid = (await call()).oid
    await client.updateRefs('demo', [{ name: 'refs/tags/new', expectedOid: null, newOid }])
    await next
    await watch.return()
    await until(() => client.stats().connections.open === 2, 'still one for each')
  })
}

test('a connection goes to its own address, which is not looked up, and which a guard may refuse', async (context) => {
  const server = createTcpServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.2')
  await once(server, 'listening')
  context.after(() => server.close())
  const endpoint = { ...parseEndpoint('http://localhost'), port: (server.address() as AddressInfo).port }
  const connector = (guard?: AddressGuard) =>
    createConnector({
      endpoint: { ...endpoint, address: '127.0.0.2' },
      tls: {},
      options: resolveConnection({}),
      proxy: undefined,
      lookup: () => assert.fail('a lookup'),
      guard,
      onFailure: () => undefined
    })
  const socket = await connector().open(true)
  assert.equal(socket.remoteAddress, '127.0.0.2')
  socket.destroy()
  const problemOf = (_host: string, _port: number, address: string | undefined) =>
    address === '127.0.0.2' ? 'no' : undefined
  await assert.rejects(connector({ problemOf }).open(true), { reason: 'address_refused' })
})

test('the authority of requests is that of the name, over HTTP and gRPC', async (context) => {
  const authorities = new Set<string>()
  const peers = ['127.0.0.2', '127.0.0.3'].map((host) => {
    const server = createServer()
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      authorities.add(`${host} ${headers[':authority']}`)
      stream.on('error', () => undefined)
      const isGrpc = headers['content-type']?.startsWith('application/grpc')
      const grpc = { 'content-type': 'application/grpc', 'grpc-status': '5' }
      stream.respond(isGrpc ? { ':status': 200, ...grpc } : { ':status': 404 }, { endStream: true })
    })
    return { server, host }
  })
  let port = 0
  for (const { server, host } of peers) {
    await new Promise<void>((resolve) => server.listen(port, host, resolve))
    port = (server.address() as AddressInfo).port
  }
  context.after(() => peers.map(({ server }) => server.close()))
  addresses = ['127.0.0.2', '127.0.0.3']
  for (const scheme of ['http', 'grpc'] as const) {
    authorities.clear()
    const options: ClientOptions = {
      endpoint: `${scheme}://localhost:${port}`,
      batch: false,
      connection: { addresses: 'all' }
    }
    const client = createClient({ ...options, transport: scheme === 'http' ? 'json' : 'grpc' })
    const call = () => client.getRepository('demo').catch(() => undefined)
    await call()
    await until(() => used(client).length === 2, `${scheme}: both addresses are in use`)
    authorities.clear()
    for (let round = 0; round < 4; round++) await call()
    assert.deepEqual([...authorities].toSorted(), [`127.0.0.2 localhost:${port}`, `127.0.0.3 localhost:${port}`])
    await client.close()
  }
})
