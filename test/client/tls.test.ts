/** TLS on both servers and all transports: which certificates are trusted, and that nothing falls back to cleartext. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createSecureServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { type BlobwireError, createClient, type TlsOptions } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { startPeer } from '../support/http2-peer.ts'
import { pem } from '../support/pem.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'

const ca = pem('ca.pem')

async function secureServer(name: string, clientCa: boolean): Promise<TestServer> {
  return testServer({ tls: { cert: pem(`${name}.pem`), key: pem(`${name}.key`), ca: clientCa ? ca : undefined } })
}

function secureClient({ server, keep }: TestServer, transport: (typeof transports)[number], tls: TlsOptions) {
  const endpoint = transport === 'grpc' ? server.grpc.replace(/^https/, 'grpcs') : server.http
  return keep(createClient({ endpoint, transport, tls, timeoutMs: 5000 }))
}

test('a custom authority is trusted, and gRPC is found through https', async (context) => {
  const fixture = atEnd(context, await secureServer('server', false))
  for (const transport of transports) {
    const client = secureClient(fixture, transport, { ca })
    await client.createRepository(`tls-${transport}`)
    const { oid } = await client.storeBlob(`tls-${transport}`, 'over TLS\n')
    assert.equal(Buffer.from((await client.getBlob(`tls-${transport}`, oid)).content).toString(), 'over TLS\n')
  }
  const discovered = createClient({ endpoint: fixture.server.http, transport: 'grpc', tls: { ca } })
  context.after(() => discovered.close())
  assert.equal((await discovered.getRepository('tls-grpc')).repository, 'tls-grpc')
})

const refusals: [what: string, certificate: string, tls: TlsOptions][] = [
  ['an unknown authority', 'server', {}],
  ['another authority', 'server', { ca: pem('other-ca.pem') }],
  ['an expired certificate', 'expired', { ca }],
  ['a certificate for another host', 'wrong-host', { ca }]
]
for (const [what, certificate, tls] of refusals) {
  test(`${what} is refused, and not retryable`, async (context) => {
    const fixture = atEnd(context, await secureServer(certificate, false))
    for (const transport of transports) {
      const client = secureClient(fixture, transport, tls)
      await assert.rejects(client.getRepository('x'), (error: BlobwireError) => {
        assert.deepEqual([error.code, error.reason, error.retryable], ['unavailable', 'tls', false], error.message)
        return true
      })
    }
  })
}

test('serverName is the name that the certificate must carry', async (context) => {
  const fixture = atEnd(context, await secureServer('wrong-host', false))
  for (const transport of transports) {
    const client = secureClient(fixture, transport, { ca, serverName: 'elsewhere.example' })
    await assert.rejects(client.getRepository('x'), { code: 'not_found' })
  }
})

test('client certificates: ours passes; none, another authority and an expired one do not', async (context) => {
  const fixture = atEnd(context, await secureServer('server', true))
  for (const transport of transports) {
    const pair = (name: string) => ({ ca, cert: pem(`${name}.pem`), key: pem(`${name}.key`) })
    const good = secureClient(fixture, transport, pair('client'))
    await assert.rejects(good.getRepository('x'), { code: 'not_found' })
    for (const tls of [{ ca }, pair('other-client'), pair('expired-client')]) {
      const bad = secureClient(fixture, transport, tls)
      await assert.rejects(bad.getRepository('x'), { code: 'unavailable' }, transport)
    }
  }
})

test('https and grpcs never fall back to cleartext', async (context) => {
  const fixture = atEnd(context, await testServer())
  for (const transport of transports) {
    const { http, grpc } = fixture.server
    const endpoint = transport === 'grpc' ? grpc.replace(/^http/, 'grpcs') : http.replace(/^http/, 'https')
    const client = createClient({ endpoint, transport, timeoutMs: 3000 })
    context.after(() => client.close())
    await assert.rejects(client.getRepository('x'), { code: 'unavailable' })
  }
})

/** An https endpoint whose capabilities say that gRPC listens at `grpcUrl`. */
async function startNaming(context: TestContext, grpcUrl: string): Promise<string> {
  const server = createSecureServer({ cert: pem('server.pem'), key: pem('server.key') })
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' })
    stream.end(JSON.stringify({ transports: [{ transport: 'grpc', url: grpcUrl }] }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a cleartext gRPC address that a TLS endpoint names is refused, and is sent nothing', async (context) => {
  const clear = await startPeer(context, (stream) => stream.respond({ ':status': 200 }, { endStream: true }))
  for (const named of [clear.url, clear.url.replace(/^http/, 'grpc'), `http://:${clear.port}`]) {
    const endpoint = await startNaming(context, named)
    const client = createClient({ endpoint, transport: 'grpc', tls: { ca }, token: 'secret', timeoutMs: 5000 })
    context.after(() => client.close())
    const refusal = { code: 'failed_precondition', reason: 'downgrade_refused', retryable: false }
    await assert.rejects(client.getRepository('x'), refusal)
    assert.deepEqual([clear.seen, clear.sessions], [[], []], named)
  }
})

test('both listeners refuse TLS 1.1', async (context) => {
  const fixture = atEnd(context, await secureServer('server', false))
  for (const url of [fixture.server.http, fixture.server.grpc]) {
    const failure = await new Promise<Error | undefined>((resolve) => {
      const ciphers = 'DEFAULT@SECLEVEL=0'
      const socket = connect({
        port: Number(new URL(url).port),
        ca,
        maxVersion: 'TLSv1.1',
        minVersion: 'TLSv1',
        ciphers
      })
      socket.once('secureConnect', () => resolve(undefined))
      socket.once('error', resolve)
    })
    assert.match(String(failure), /protocol|alert|unsupported/i)
  }
})

test('certificates are not checked where development or testing asks for it, with a warning; the default refuses that', async (context) => {
  const warnings: string[] = []
  const listener = ({ message }: Error) => warnings.push(message)
  process.on('warning', listener)
  context.after(() => process.off('warning', listener))
  for (const certificate of ['server', 'expired', 'wrong-host']) {
    const fixture = atEnd(context, await secureServer(certificate, false))
    for (const transport of transports) {
      const endpoint = transport === 'grpc' ? fixture.server.grpc.replace(/^https/, 'grpcs') : fixture.server.http
      const options = { endpoint, transport, tls: { rejectUnauthorized: false } }
      const client = fixture.keep(createClient({ ...options, environment: 'testing' }))
      await client.createRepository('demo')
      const { oid } = await client.upload('demo', 'large')
      assert.equal(Buffer.from(await client.download('demo', oid).bytes()).toString(), 'large')
      for (const environment of [undefined, 'production'] as const) {
        assert.throws(() => createClient({ ...options, environment }), {
          code: 'invalid_argument',
          message: /^tls\.rejectUnauthorized: must be true but with environment: 'development' or 'testing'/
        })
      }
    }
  }
  const ofThis = warnings.filter((message) => message.includes('rejectUnauthorized'))
  assert.equal(ofThis.length, 1, warnings.join('\n'))
})
