/** Webhooks on the wire: TLS, HTTP/2 and HTTP/1.1, redirects, and how often a request is made. */
import assert from 'node:assert/strict'
import { createSecureServer } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { WebhookSenderOptions } from '../../src/webhooks.ts'
import { pem } from '../support/pem.ts'
import { newFakeSender, newSender, secret, startReceiver } from './receivers.ts'

const certificate = { key: pem('server.key'), cert: pem('server.pem') }
const tls = { ca: pem('ca.pem') }

async function listening(context: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  return `https://localhost:${(server.address() as AddressInfo).port}/hooks`
}

const guard = { allow: ['localhost'] }
const single = (url: string, options: WebhookSenderOptions = {}): WebhookSenderOptions => ({
  ...{ tls, guard, destinations: [{ id: 'ci', url, secrets: secret }], ...options }
})

test('over TLS a webhook goes by HTTP/2 where the receiver has it, and by HTTP/1.1 otherwise', async (context) => {
  const versions: string[] = []
  const both = createSecureServer({ ...certificate, allowHTTP1: true }, (request, response) => {
    versions.push(request.httpVersion)
    response.end()
  })
  const old = createTlsServer(certificate, (request, response) => {
    versions.push(request.httpVersion)
    response.end()
  })
  for (const server of [both, old]) {
    const sender = newSender(context, single(await listening(context, server as unknown as Server)))
    const ends = await Promise.all([1, 2, 3].map((data) => sender.deliver({ type: 'push', data })))
    assert.deepEqual(
      ends.flat().map(({ state }) => state),
      ['delivered', 'delivered', 'delivered']
    )
    await sender.close()
  }
  assert.deepEqual(versions, ['2.0', '2.0', '2.0', '1.1', '1.1', '1.1'])
})

test('a receiver without a certificate that is trusted gets nothing', async (context) => {
  let requests = 0
  const server = createTlsServer(certificate, (_request, response) => {
    requests++
    response.end()
  })
  const url = await listening(context, server)
  const sender = newSender(context, { ...single(url), tls: {}, retry: false })
  const [outcome] = await sender.deliver({ type: 'push', data: 1 })
  assert.ok(outcome?.state === 'dead' && outcome.error.is('tls') && requests === 0)
})

test('a request that a server of HTTP/2 refuses is one attempt: nothing below repeats it', async (context) => {
  let requests = 0
  const server = createSecureServer(certificate)
  server.on('stream', (stream) => {
    requests++
    stream.on('error', () => undefined)
    // REFUSED_STREAM, after which undici would send it again.
    stream.close(7)
  })
  const url = await listening(context, server as unknown as Server)
  const { sender } = newFakeSender(context, { ...single(url), retry: false })
  const [outcome] = await sender.deliver({ type: 'push', data: 1 })
  assert.deepEqual([outcome?.state, outcome?.attempts, requests], ['dead', 1, 1])
})

test('redirects are not followed, or guarded again; headers of the destination stay at its origin', async (context) => {
  const end = await startReceiver(context)
  let location = end.url
  const start = await startReceiver(context, (_received, response) => {
    response.writeHead(307, { location }).end()
    return undefined
  })
  const destination = start.destination('ci', { headers: { authorization: 'Bearer x', 'x-own': 'y' } })
  const reasonOf = async (options: WebhookSenderOptions) => {
    const sender = newSender(context, { destinations: [destination], retry: false, ...options })
    const [outcome] = await sender.deliver({ type: 'push', data: 1 })
    return outcome?.state === 'dead' ? outcome.error.reason : outcome?.state
  }
  assert.equal(await reasonOf({}), 'redirect_refused')
  assert.equal(end.received.length, 0)
  assert.equal(await reasonOf({ redirects: 1 }), 'delivered')
  const { headers, path } = end.received[0] ?? {}
  assert.deepEqual([headers?.authorization, headers?.['x-own'], path], [undefined, undefined, '/hooks?of=test'])
  assert.equal(start.received[0]?.headers['x-own'], 'y')
  for (const refused of [
    'http://127.0.0.2:80/',
    'http://169.254.169.254/latest/',
    'http://[::ffff:10.0.0.1]/',
    'http://2130706434/'
  ]) {
    location = refused
    assert.equal(await reasonOf({ redirects: 3 }), 'address_refused', refused)
  }
  location = start.url
  assert.equal(await reasonOf({ redirects: 3 }), 'redirect_refused')
})

test('a name whose address is private is refused at the connection, and is not tried again', async (context) => {
  const receiver = await startReceiver(context)
  const url = `http://localhost:${receiver.port}/`
  const { sender } = newFakeSender(context, {
    destinations: [{ id: 'ci', url, secrets: secret }],
    guard: { http: true, ports: 'any' }
  })
  const [outcome] = await sender.deliver({ type: 'push', data: 1 })
  assert.ok(outcome?.state === 'dead' && outcome.error.is('address_refused'))
  assert.deepEqual(
    [outcome.attempts, receiver.received.length, sender.stats().destinations[0]?.breaker],
    [1, 0, 'closed']
  )
})
