/** Names of hosts by which a server without tokens may be asked: no web site reaches it by a name of its own. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:http2'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { Hosts } from '../../server-fixture/hosts.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { pem } from '../support/pem.ts'
import { atEnd, testServer } from '../support/server.ts'

const path = `/${serviceName}/GetCapabilities`

test('loopback names, the address of the server and given names', () => {
  const loopback = [
    'localhost',
    'LOCALHOST:80',
    'a.localhost:4100',
    'localhost.',
    '127.0.0.1',
    '127.1.2.3:1',
    '[::1]:4100'
  ]
  const sites = [
    'example.org',
    'localhost.example.org:80',
    '127.0.0.1.example.org',
    'notlocalhost',
    '10.0.0.5:80',
    '[::2]'
  ]
  const server = new Hosts({ host: '127.0.0.1' })
  for (const name of [...loopback, '', undefined]) assert(server.allows(name), String(name))
  for (const name of [...sites, 'a:b:c', '[::1].example.org', 'x@localhost@y']) assert(!server.allows(name), name)
  const named = new Hosts({ host: '10.0.0.5', hosts: ['git.example.org', 'fd00::1'] })
  for (const name of [...loopback, '10.0.0.5:4100', 'GIT.example.org:80', '[FD00::1]:80'])
    assert(named.allows(name), name)
  for (const name of ['example.org', 'a.git.example.org', '10.0.0.6']) assert(!named.allows(name), name)
  // A server on all addresses knows by which it is asked no better than its system.
  const everywhere = new Hosts({ host: '0.0.0.0' })
  assert(everywhere.allows('10.0.0.6:4100') && everywhere.allows('[fd00::1]') && !everywhere.allows('example.org'))
  assert(new Hosts({ host: '::', hosts: ['*'] }).allows('example.org'))
  assert.throws(() => new Hosts({ host: '::', hosts: ['example.org:80'] }), /hosts "example.org:80": .* without a port/)
})

/** Asks over HTTP/1.1. */
async function ask(url: string, host: string, target = path): Promise<{ status: number; body: string }> {
  const body = { method: 'POST', headers: { host, 'content-type': 'application/json' } }
  const sent = request(new URL(target, url), target === path ? body : { headers: { host } })
  sent.end(target === path ? '{}' : undefined)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: answer.statusCode ?? 0, body: await text(answer) }
}

/** Asks over HTTP/2. */
async function ask2(url: string, authority: string, contentType: string): Promise<Record<string, unknown>> {
  const session = connect(url, { rejectUnauthorized: false })
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    ':authority': authority,
    'content-type': contentType,
    te: 'trailers'
  })
  // An empty message, in the envelope of gRPC.
  stream.end(contentType.endsWith('json') ? '{}' : Buffer.alloc(5))
  const trailers = { value: {} }
  stream.on('trailers', (found) => {
    trailers.value = found
  })
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
  stream.resume()
  await once(stream, 'close')
  session.close()
  return { ...headers, ...trailers.value }
}

test('a server without tokens refuses other names over HTTP, gRPC and on the admin port', async (context) => {
  const { server } = atEnd(context, await testServer({ adminPort: 0, hosts: ['git.example.org'] }))
  const { http, grpc, admin = '' } = server
  for (const host of ['site.example.org', '192.0.2.1:4100']) {
    const { status, body } = await ask(http, host)
    assert.equal(status, 421)
    assert.match(body, /"code":"permission_denied".*--hosts .*unknown_host/)
    assert.equal((await ask(http, host, '/.well-known/blobwire')).status, 421)
    assert.equal((await ask(http, host, '/demo.git/info/refs?service=git-upload-pack')).status, 421)
    assert.equal((await ask(admin, host, '/metrics')).status, 421)
    assert.equal((await ask2(http, host, 'application/json'))[':status'], 421)
    for (const url of [grpc, http]) assert.equal((await ask2(url, host, 'application/grpc'))['grpc-status'], '7')
  }
  for (const host of ['localhost:4100', 'git.example.org']) {
    assert.equal((await ask(http, host)).status, 200)
    assert.equal((await ask(admin, host, '/metrics')).status, 200)
    for (const url of [grpc, http]) assert.equal((await ask2(url, host, 'application/grpc'))['grpc-status'], '0')
  }
})

test('tokens and certificates keep web sites out, too: any name will do', async (context) => {
  const grants = [{ token: 'a', access: 'read', repositories: ['*'] }] as const
  const { server } = atEnd(context, await testServer({ grants }))
  assert.equal((await ask(server.http, 'site.example.org')).status, 200)
  const tls = { cert: pem('server.pem'), key: pem('server.key') }
  const secure = atEnd(context, await testServer({ tls }))
  assert.equal((await ask2(secure.server.http, 'site.example.org', 'application/json'))[':status'], 200)
})
