/** Servers with a certificate or a version of TLS that does not do: refused, not tried again in a loop, never in cleartext. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createServer as createTls } from 'node:tls'
import { createClient } from '../../src/index.ts'
import { startTcpProxy, type TcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { failureOf, transports } from '../support/faulty-network.ts'
import { pem } from '../support/pem.ts'
import { atEnd } from '../support/server.ts'
import { later } from '../support/until.ts'

const ca = pem('ca.pem')
const token = 'Sup3rS3cretT0ken'

/** Starts the server behind a TCP proxy, on which a test sees everything that is not encrypted. */
async function listen(context: TestContext, server: Server): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return atEnd(context, await startTcpProxy(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`))
}

const certificate = { cert: pem('server.pem'), key: pem('server.key') }
const alpn = ['h2', 'http/1.1']
const servers: [string, () => Server][] = [
  ['a server that speaks TLS 1.1 at most', () => tlsServer({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })],
  [
    'a certificate that has expired',
    () => createTls({ cert: pem('expired.pem'), key: pem('expired.key'), ALPNProtocols: alpn })
  ],
  [
    'a certificate of another host',
    () => createTls({ cert: pem('wrong-host.pem'), key: pem('wrong-host.key'), ALPNProtocols: alpn })
  ],
  [
    'a server that answers in cleartext',
    () => createTcp((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'))
  ]
]

function tlsServer(versions: { minVersion: 'TLSv1'; maxVersion: 'TLSv1.1' }): Server {
  return createTls({ ...certificate, ...versions, ciphers: 'DEFAULT@SECLEVEL=0', ALPNProtocols: alpn })
}

for (const [name, make] of servers) {
  for (const transport of transports) {
    test(`${transport}: ${name}`, async (context) => {
      const proxy = await listen(context, make())
      const endpoint = `${transport === 'grpc' ? 'grpcs' : 'https'}://127.0.0.1:${proxy.port}`
      const client = createClient({ endpoint, transport, tls: { ca }, token, timeoutMs: 3000 })
      context.after(() => client.close())
      const { error } = await failureOf(client.storeBlob('demo', 'x'))
      assert.deepEqual([error.code, error.reason, error.retryable], ['unavailable', 'tls', false], error.message)
      // Time for a loop to show itself.
      await later(100)
      assert.ok(proxy.connections <= 3, `${proxy.connections} connections`)
      for (const bytes of proxy.heads) {
        // Record type 22 is a handshake (RFC 8446 section 5.1).
        assert.ok(bytes.length === 0 || bytes[0] === 22, 'nothing but TLS is spoken')
        assert.ok(!bytes.includes(token))
      }
    })
  }
}
