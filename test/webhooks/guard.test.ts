/** The guard of destinations: addresses in every spelling, at the moment of the connection. */
import assert from 'node:assert/strict'
import { createServer, type LookupFunction } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createConnector } from '../../src/connection/dial/connector.ts'
import { specialName } from '../../src/connection/dial/special-addresses.ts'
import { resolveConnection } from '../../src/options/resolve.ts'
import { DestinationGuard, type WebhookGuardOptions } from '../../src/webhooks/guard.ts'

const refused = { name: 'BlobwireError', code: 'permission_denied', reason: 'address_refused', retryable: false }

test('addresses that are not on the public internet are told, in every range and form', () => {
  const special = {
    unspecified: ['0.0.0.0', '0.1.2.3', '::'],
    loopback: ['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::7f00:1'],
    private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '::ffff:10.0.0.1', '64:ff9b::10.0.0.1'],
    'shared (carrier-grade NAT)': ['100.64.0.1', '100.100.100.200', '100.127.255.255'],
    'link-local': ['169.254.169.254', '169.254.170.2', 'fe80::1', 'fe80::1%eth0', 'febf::1', '::ffff:a9fe:a9fe'],
    metadata: ['168.63.129.16', '64:ff9b::168.63.129.16'],
    reserved: ['192.0.0.192', '240.0.0.1', '255.255.255.255', '192.88.99.1', '::127.0.0.1', '::a00:1', '64:ff9b:1::1'],
    documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
    benchmark: ['198.18.0.1', '198.19.255.255'],
    multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1'],
    'private (unique local)': ['fc00::1', 'fd00:ec2::254', 'fd20:ce::254'],
    'reserved for protocols': ['2001::1', '2001:0:7f00:1::', '2001:2::1', '2001:10::1'],
    '6to4': ['2002:7f00:1::', '2002:a9fe:a9fe::1'],
    'no address': ['localhost', '0x7f.1', '127.1', '']
  }
  for (const [name, addresses] of Object.entries(special)) {
    for (const address of addresses) assert.equal(specialName(address), name, address)
  }
  const all = ['1.1.1.1', '172.15.255.255', '172.32.0.1', '100.63.0.1', '100.128.0.1', '192.0.1.1', '223.255.255.255']
  for (const address of [
    ...all,
    '2606:4700::1111',
    '2a00:1450::1',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '64:ff9b::808:808'
  ]) {
    assert.equal(specialName(address), undefined, address)
  }
})

test('a URL with an address is refused in every spelling of it', () => {
  const guard = new DestinationGuard({ http: true }, undefined)
  for (const host of [
    '127.0.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '127.1',
    '127.0.0.1.',
    '%31%32%37.0.0.1',
    '１２７.0.0.1',
    '127。0。0。1',
    '0',
    '[::1]',
    '[::]',
    '[0:0:0:0:0:ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '169.254.169.254',
    '2852039166',
    '[fd00:ec2::254]'
  ]) {
    for (const scheme of ['http', 'https'])
      assert.throws(() => guard.checkUrl('url', `${scheme}://${host}/x`), refused, host)
  }
  assert.deepEqual(guard.checkUrl('url', 'https://[2606:4700::1111]/a/b?c=d#e'), {
    ...{ secure: true, hostname: '[2606:4700::1111]', port: 443, path: '/a/b?c=d' }
  })
})

test('schemes, credentials and ports of a URL', () => {
  const guard = new DestinationGuard(undefined, undefined)
  assert.throws(() => guard.checkUrl('url', 'http://example.org/'), refused)
  for (const url of [
    'ftp://example.org/',
    'file:///etc/passwd',
    'example.org',
    '',
    undefined,
    'https://u:p@example.org/'
  ]) {
    assert.throws(() => guard.checkUrl('url', url), { code: 'invalid_argument' }, String(url))
  }
  const problem = (port: number, options?: WebhookGuardOptions) =>
    new DestinationGuard(options, undefined).problemOf('example.org', port, '1.1.1.1')
  for (const port of [443, 80, 8443, 8080]) assert.equal(problem(port), undefined)
  for (const port of [22, 25, 6379, 9200]) assert.match(problem(port) ?? '', /guard\.ports/)
  assert.equal(problem(25, { ports: 'any' }), undefined)
  assert.equal(problem(4000, { ports: [4000] }), undefined)
  assert.match(problem(443, { ports: [4000] }) ?? '', /port/)
})

test('what is allowed, is: hosts, addresses and subnets, and nothing beside them', () => {
  const allow = ['hooks.internal', '*.corp', '10.1.0.0/16', '192.168.7.7', 'fd00::/64', '::1']
  const guard = new DestinationGuard({ allow }, undefined)
  const allows = (host: string, address: string, port = 22) => guard.problemOf(host, port, address) === undefined
  assert.ok(
    allows('hooks.internal', '127.0.0.1') && allows('HOOKS.internal.', '10.9.9.9') && allows('a.b.corp', '10.9.9.9')
  )
  assert.ok(allows('x', '10.1.255.255') && allows('x', '::ffff:10.1.0.1') && allows('x', '192.168.7.7'))
  assert.ok(allows('x', 'fd00::5') && allows('x', '::1') && allows('::1', '::1'))
  assert.ok(!allows('hooks.internal.evil', '127.0.0.1') && !allows('xcorp', '10.9.9.9') && !allows('corp', '10.9.9.9'))
  assert.ok(!allows('x', '10.2.0.1') && !allows('x', '192.168.7.8') && !allows('x', 'fd00:0:0:1::5'))
  for (const entry of ['10.0.0.0/33', '10.0.0', '*', 'a b', 'http://x', '', '::/129', 5]) {
    const options = { allow: ['ok.example', entry] } as WebhookGuardOptions
    assert.throws(() => new DestinationGuard(options, undefined), /guard\.allow\[1\]: must be a host/, String(entry))
  }
})

test('a proxy has to be said to guard, because it chooses the address', () => {
  const proxy = 'http://proxy.example:3128'
  assert.throws(() => new DestinationGuard({}, proxy), /guard\.proxyGuards: must be true/)
  const guard = new DestinationGuard({ proxyGuards: true }, proxy)
  assert.throws(() => guard.checkUrl('url', 'https://10.0.0.1/'), refused)
  assert.match(guard.problemOf('example.org', 22, undefined) ?? '', /port/)
  assert.equal(guard.problemOf('example.org', 443, undefined), undefined)
})

/** A server that counts its connections, and a connector to it by a name whose addresses the test chooses. */
async function peer(context: TestContext, options: WebhookGuardOptions, ...answers: string[][]) {
  const server = createServer((socket) => socket.destroy())
  let connections = 0
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  const { port } = server.address() as { port: number }
  let asked = 0
  const lookup: LookupFunction = (_host, { all }, callback) => {
    const addresses = answers[asked++] ?? []
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    setImmediate(() => (all ? callback(null, found) : callback(null, addresses[0] ?? '', 4)))
  }
  const open = (hostname: string, proxy?: { port: number }) =>
    createConnector({
      ...{ lookup, tls: {}, onFailure: () => undefined, options: resolveConnection({ connectTimeoutMs: 500 }) },
      endpoint: { protocol: 'http', secure: false, hostname, port },
      proxy: proxy && { secure: false, hostname: '127.0.0.1', port: proxy.port, credentials: undefined },
      guard: new DestinationGuard({ ports: 'any', ...options }, undefined)
    }).open(false)
  return { open, port, connections: () => connections }
}

test('a connection is refused by the address that a name has at that moment', async (context) => {
  const allow = ['127.0.0.1']
  const { open, connections } = await peer(context, { allow }, ['127.0.0.1'], ['127.0.0.2'], ['127.0.0.1', '10.0.0.1'])
  const socket = await open('hooks.example')
  socket.destroy()
  // The name has another address the next time, or a second one: the guard looks at what is connected to.
  await assert.rejects(open('hooks.example'), refused)
  await assert.rejects(open('hooks.example'), refused)
  await assert.rejects(open('127.0.0.2'), refused)
  assert.equal(connections(), 1)
})

test('without an allowance no connection is begun', async (context) => {
  const { open, connections } = await peer(context, {}, ['127.0.0.1'], ['::ffff:127.0.0.1'], ['::1'])
  await assert.rejects(open('hooks.example'), refused)
  await assert.rejects(open('hooks.example'), refused)
  for (const host of ['127.0.0.1', '[::1]', '[::ffff:7f00:1]', 'localhost']) await assert.rejects(open(host), refused)
  assert.equal(connections(), 0)
})

test('the address that the socket has is looked at, however it came to have it', async (context) => {
  // A lookup that answers the guard with one thing and the socket with another: the list changes after it was checked.
  const list = [{ address: '1.1.1.1', family: 4 }]
  const lookup: LookupFunction = (_host, _options, callback) => {
    const changing = new Proxy(list, {
      get: (target, key, receiver) =>
        key === 'map' ? target.map.bind(target) : Reflect.get([{ address: '127.0.0.1', family: 4 }], key, receiver)
    })
    setImmediate(() => callback(null, changing))
  }
  const { port, connections } = await peer(context, {})
  const connector = createConnector({
    ...{ lookup, tls: {}, onFailure: () => undefined, options: resolveConnection({ connectTimeoutMs: 500 }) },
    endpoint: { protocol: 'http', secure: false, hostname: 'hooks.example', port },
    proxy: undefined,
    guard: new DestinationGuard({ ports: 'any' }, undefined)
  })
  await assert.rejects(connector.open(false), refused)
  assert.ok(connections() <= 1)
})

test('behind a proxy a literal address is refused, and the proxy may be anywhere', async (context) => {
  const { open, port, connections } = await peer(context, {})
  await assert.rejects(open('10.0.0.1', { port }), refused)
  assert.equal(connections(), 0)
  await assert.rejects(open('hooks.example', { port }), { reason: 'proxy' })
  assert.equal(connections(), 1)
})
