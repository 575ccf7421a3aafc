/** The HTTP server and the ways of its peers: encodings, deadlines, keep-alive, IPv6, and TLS peers that stall. */
import assert from 'node:assert/strict'
import { Agent, request as http1Request } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { startServer } from '../../server-fixture/server.ts'
import { createClient } from '../../src/index.ts'
import { pem } from '../support/pem.ts'
import { atEnd, testServer } from '../support/server.ts'
import { settlesWithin } from '../support/until.ts'

const service = '/blobwire.v1.VcsService'
const json = { 'content-type': 'application/json' }

test('gzip is sent only to clients that accept gzip', async (context) => {
  const fixture = atEnd(context, await testServer())
  const repo = fixture.client().repository('demo')
  await repo.createRepository()
  const { oid } = await repo.storeBlob('all work and no play '.repeat(500))
  const body = JSON.stringify({ repository: 'demo', oid })
  const cases: [string, string | null][] = [
    ['gzip', 'gzip'],
    ['br, GZIP;q=0.5', 'gzip'],
    ['gzip;q=0', null],
    ['br, gzip; q=0.000', null],
    ['x-gzip-like', null],
    ['identity', null]
  ]
  for (const [accepted, encoding] of cases) {
    const headers = { ...json, 'accept-encoding': accepted }
    const response = await fetch(`${fixture.server.http}${service}/GetBlob`, { method: 'POST', headers, body })
    assert.equal(response.headers.get('content-encoding'), encoding, accepted)
    assert.equal(((await response.json()) as { oid: string }).oid, oid)
  }
})

test('the client’s deadline begins with its request, not with the end of the body', async (context) => {
  const { server } = atEnd(context, await testServer({ bodyTimeoutMs: 5000 }))
  const session = connectHttp2(server.http)
  const headers = { ':method': 'POST', ':path': `${service}/StoreBlob`, ...json, 'connect-timeout-ms': '50' }
  const stream = session.request(headers)
  stream.write('{')
  const status = new Promise((resolve, reject) => {
    stream.once('response', (answer) => resolve(answer[':status']))
    stream.once('error', reject)
  })
  assert.equal(await settlesWithin(status, 4000), 504)
  session.destroy()
})

test('an HTTP/1.1 connection is used again after GET, and after an error without a body', async (context) => {
  const { server } = atEnd(context, await testServer())
  const { port } = new URL(server.http)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  context.after(() => agent.destroy())
  const ports = new Set<number | undefined>()
  for (const path of ['/healthz', `/v1/repositories/none/blobs/${'ab'.repeat(20)}`, '/nothing', '/healthz']) {
    await new Promise<void>((resolve, reject) => {
      const request = http1Request({ port, path, agent }, (response) => {
        ports.add(response.socket.localPort)
        response.resume().once('end', resolve)
      })
      request.once('error', reject).end()
    })
  }
  assert.equal(ports.size, 1)
})

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))

test('both listeners on an IPv6 address', { skip: !hasIpv6 }, async (context) => {
  const server = await startServer({ host: '::1' })
  context.after(() => server.close())
  for (const transport of ['json', 'grpc'] as const) {
    const endpoint = transport === 'grpc' ? server.grpc.replace(/^http/, 'grpc') : server.http
    const client = createClient({ endpoint, transport })
    await client.createRepository('demo')
    await client.close()
  }
})

test('under TLS, too, peers that send noise, stall or never begin are cut off', async (context) => {
  const tls = { cert: pem('server.pem'), key: pem('server.key') }
  const { server } = atEnd(context, await testServer({ tls, headersTimeoutMs: 300 }))
  const port = Number(new URL(server.http).port)
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }
  const closed = ['NONSENSE\r\n\r\n', 'POST / HTTP/1.1\r\nx-a: ', ''].map((text) => {
    const socket = connectTls(options, () => socket.write(text))
    return socket
  })
  const peers = [...closed, connectTcp(port, '127.0.0.1')].map(
    (socket) =>
      new Promise<void>((resolve) => {
        socket.on('error', () => undefined)
        socket.once('close', () => resolve())
        socket.resume()
      })
  )
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('a peer is still connected')), 5000)
  })
  await Promise.race([Promise.all(peers), late]).finally(() => clearTimeout(timer))
})
