/** Mistakes about the server, its address and its certificate: what the user did, and the words that mend it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type ClientOptions, createClient } from '../../src/index.ts'
import { failureOf, transports } from '../support/faulty-network.ts'
import { pem } from '../support/pem.ts'
import { ownPorts } from '../support/ports.ts'
import { atEnd, testServer } from '../support/server.ts'

const ca = pem('ca.pem')

/** Options of a server with this certificate. */
const certified = (name: string) => ({
  tls: { cert: pem(`${name}.pem`), key: pem(`${name}.key`) }
})

/** `code` or `code reason`. */
type Mistake = readonly [what: string, options: Partial<ClientOptions>, expected: string, words: RegExp]

/** `host:port` of a fixture's listener. */
const hostOf = (url: string) => new URL(url).host

/** `host:port` of a server that closes with the test. */
async function listening(context: TestContext, server: ReturnType<typeof createTcpServer>): Promise<string> {
  server.listen(0, '127.0.0.1')
  context.after(() => server.close())
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A web server that answers everything alike. */
function webServer(context: TestContext, status: number, type: string, body: string): Promise<string> {
  const server = createHttpServer((request, response) => {
    request.resume()
    response.writeHead(status, { 'content-type': type, connection: 'close' }).end(body)
  })
  return listening(context, server)
}

/** Each mistake on one attempt. */
async function tell(context: TestContext, mistakes: readonly Mistake[]): Promise<void> {
  for (const [what, options, expected, words] of mistakes) {
    const endpoint = `${options.endpoint}`
    const client = createClient({ endpoint, retry: false, breaker: false, timeoutMs: 10_000, ...options })
    context.after(() => client.close())
    const { error } = await failureOf(client.getRepository('demo'))
    const shown = `${what}: [${error.code} ${error.reason}] ${error.message}`
    assert.equal(`${error.code} ${error.reason}`.trim(), expected, shown)
    assert.match(error.message, words, shown)
    assert.ok(error.message.startsWith(`getRepository at ${endpoint}: `), shown)
    assert.doesNotMatch(error.message, /[0-9A-F]{16}:error|Resolution note|undefined|secret/, shown)
    assert.ok(!('stack' in error.toJSON()) && JSON.stringify(error).includes(error.code), shown)
    structuredClone(error)
  }
}

/** The three transports to `host`, with or without TLS. */
function everyWay(host: string, secure: boolean, options: Partial<ClientOptions> = {}) {
  return transports.map((transport) => {
    const scheme = `${transport === 'grpc' ? 'grpc' : 'http'}${secure ? 's' : ''}`
    return { ...options, endpoint: `${scheme}://${host}`, transport }
  })
}

test('TLS where there is none, and the reverse', async (context) => {
  const plain = atEnd(context, await testServer()).server
  const tls = atEnd(context, await testServer(certified('server'))).server
  const noTls = /the server does not speak TLS on this port; use http:\/\/.*wrong version number\)$/
  const isTls = /closed the connection before it had said anything; does it expect TLS \(https:\/\//
  const rows = (what: string, [json, msgpack]: readonly [string, string], secure: boolean, words: RegExp) =>
    everyWay('', secure).map(({ transport, endpoint }): Mistake => {
      const at = `${endpoint}${transport === 'grpc' ? hostOf(msgpack) : hostOf(json)}`
      return [what, { endpoint: at, transport }, secure ? 'unavailable tls' : 'unavailable', words]
    })
  await tell(context, [
    ...rows('https to a cleartext port', [plain.http, plain.grpc], true, noTls),
    ...rows('http to a TLS port', [tls.http, tls.grpc], false, isTls)
  ])
})

test('certificates', async (context) => {
  const fixture = async (name: string) => hostOf(atEnd(context, await testServer(certified(name))).server.http)
  const servers = {
    good: await fixture('server'),
    expired: await fixture('expired'),
    other: await fixture('wrong-host')
  }
  const overHttp = (host: string, tls = {}) => everyWay(host, true, { tls }).slice(0, 2)
  const grpcOf = (host: string, tls = {}) => ({ endpoint: `https://${host}`, transport: 'grpc' as const, tls })
  const row =
    (what: string, words: RegExp) =>
    (options: Partial<ClientOptions>): Mistake => [what, options, 'unavailable tls', words]
  const unknown = row(
    'an unknown authority',
    /no authority that the client trusts .* tls: \{ ca \}.* NODE_EXTRA_CA_CERTS/
  )
  const expired = row('an expired certificate', /has expired; renew it there/)
  const other = row('another host', /is for another host; name the host in the endpoint .* tls: \{ serverName \}/)
  await tell(context, [
    ...[...overHttp(servers.good), grpcOf(servers.good)].map(unknown),
    ...[...overHttp(servers.expired, { ca }), grpcOf(servers.expired, { ca })].map(expired),
    ...[...overHttp(servers.other, { ca }), grpcOf(servers.other, { ca })].map(other)
  ])
})

test('the certificates of gRPC', async (context) => {
  const { server } = atEnd(context, await testServer(certified('expired')))
  const endpoint = `grpcs://${hostOf(server.grpc)}`
  await tell(context, [
    ['an unknown authority', { endpoint }, 'unavailable tls', /no authority .*|has expired/],
    ['an expired certificate', { endpoint, tls: { ca } }, 'unavailable tls', /has expired; renew it there/]
  ])
})

test('the port of the other protocol', async (context) => {
  const { server } = atEnd(context, await testServer())
  const grpc = hostOf(server.grpc)
  await tell(context, [
    ...everyWay(grpc, false)
      .slice(0, 2)
      .map((options): Mistake => ['http to the gRPC port', options, 'unimplemented no_http_form', /use grpc:\/\//]),
    ['auto to the gRPC port', { endpoint: `http://${grpc}` }, 'unimplemented no_http_form', /415: .* use grpc:\/\//],
    [
      'gRPC to the HTTP port, which speaks it',
      { endpoint: `grpc://${hostOf(server.http)}`, transport: 'grpc' },
      'not_found repository',
      /repository demo not found/
    ]
  ])
})

test('the gRPC address as servers print it works, and no token goes elsewhere', async (context) => {
  const grants = [{ token: 'secret', access: 'write', repositories: ['*'] }] as const
  const { server } = atEnd(context, await testServer({ grants }))
  const client = createClient({ endpoint: server.grpc, transport: 'grpc', token: 'secret' })
  context.after(() => client.close())
  assert.ok(server.grpc.startsWith('http://'))
  assert.equal((await client.createRepository('demo')).created, true)
  assert.equal(client.stats().transport, 'grpc')
})

test('no blobwire server', async (context) => {
  const html = '<html><h1>Welcome to nginx!</h1></html>'
  const page = await webServer(context, 200, 'text/html', html)
  const api = await webServer(context, 200, 'application/json', '{"ok":true}')
  const status = (code: number) => webServer(context, code, 'text/html', html)
  const banner = await listening(
    context,
    createTcpServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-OpenSSH_9.6\r\n'))
  )
  const http = (host: string, transport: 'json' | 'msgpack' = 'msgpack') => ({ endpoint: `http://${host}`, transport })
  const grpc = (host: string) => ({ endpoint: `grpc://${host}`, transport: 'grpc' }) as const
  const isThis = /is this a blobwire server\?/
  const notThere = /no blobwire server is at this address; are host and port right/
  await tell(context, [
    ['a web page', http(page), 'internal malformed_response', isThis],
    ['a web page', http(page, 'json'), 'internal malformed_response', isThis],
    ['a JSON API', http(api), 'internal malformed_response', isThis],
    ['a JSON API', http(api, 'json'), 'internal malformed_response', isThis],
    [
      'a JSON API',
      { endpoint: `http://${api}`, transport: 'grpc' },
      'unimplemented no_grpc',
      /is it a blobwire server/
    ],
    ['nothing at the path', http(await status(404)), 'unimplemented', notThere],
    ['nothing at the path', { endpoint: `http://${await status(404)}` }, 'unimplemented', notThere],
    ['no POST', http(await status(405)), 'unknown', notThere],
    ['a proxy without its server', http(await status(502)), 'unavailable', /502: a proxy answers, and does not reach/],
    ['a proxy that wants credentials', http(await status(407)), 'unknown', /407: the proxy asks for credentials/],
    ['a proxy that refuses', http(await status(403)), 'permission_denied', /403: a proxy .* refuses/],
    ['a web server for gRPC', grpc(page), 'unavailable', /does not speak HTTP\/2 on this port/],
    ['another service', http(banner), 'unavailable', /does not speak HTTP\/2 on this port; is another service there/],
    ['another service', grpc(banner), 'unavailable', /does not speak HTTP\/2 on this port; is another service there/]
  ])
})

test('nobody there, and proxies that are none', async (context) => {
  const { httpPort, grpcPort } = await ownPorts()
  const refused = /nothing listens at this address; is the server running, .*ECONNREFUSED/
  const { server } = atEnd(context, await testServer())
  const page = await webServer(context, 200, 'text/html', 'hello')
  const proxied = (proxy: string, transport: 'msgpack' | 'grpc' = 'msgpack') => ({
    ...(transport === 'grpc' ? { endpoint: server.grpc.replace('http', 'grpc') } : { endpoint: server.http }),
    transport,
    connection: { proxy: `http://${proxy}` }
  })
  await tell(context, [
    ...everyWay(`127.0.0.1:${httpPort}`, false).map(
      (options): Mistake => ['a wrong port', options, 'unavailable', refused]
    ),
    ['a wrong port', { endpoint: `http://127.0.0.1:${grpcPort}`, transport: 'grpc' }, 'unavailable', refused],
    ...everyWay('nowhere.invalid:4100', false).map((options): Mistake => {
      return ['a wrong name', options, 'unavailable', /no address is known for this host name; is it spelled right\?/]
    }),
    [
      'no proxy there',
      proxied(`127.0.0.1:${httpPort}`),
      'unavailable',
      /^[^(]*proxy 127\.0\.0\.1:\d+: nothing listens/
    ],
    ['no proxy there', proxied(`127.0.0.1:${httpPort}`, 'grpc'), 'unavailable', refused],
    ['a web server as the proxy', proxied(page), 'unavailable proxy', /is this the address of an HTTP proxy\?/]
  ])
})

test('tokens', async (context) => {
  const grants = [
    { token: 'secret', access: 'write', repositories: ['*'] },
    { token: 'old-secret', access: 'write', repositories: ['*'], expires: '2020-01-01T00:00:00Z' }
  ] as const
  const { server } = atEnd(context, await testServer({ grants }))
  const ways = [
    ...everyWay(hostOf(server.http), false).slice(0, 2),
    { endpoint: `grpc://${hostOf(server.grpc)}`, transport: 'grpc' as const }
  ]
  await tell(
    context,
    ways.flatMap((way): Mistake[] => [
      ['no token', way, 'unauthenticated no_token', /a bearer token is required; give it as the option token/],
      ['a wrong token', { ...way, token: 'secret2' }, 'unauthenticated bad_token', /does not know this bearer token/],
      ['an old token', { ...way, token: 'old-secret' }, 'unauthenticated expired_token', /expired at 2020-01-01/]
    ])
  )
  await tell(context, [
    [
      'a token function that fails',
      { ...ways[1], token: () => 'Bearer secret' },
      'unauthenticated token_source',
      /token\(\) did not give a bearer token/
    ]
  ])
})
