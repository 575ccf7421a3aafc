/** Servers with a certificate or a version of TLS that does not do: refused, not tried again in a loop, never in cleartext. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer as createTcp, type Server, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createServer as createTls } from 'node:tls'
import { createClient } from '../../src/index.ts'
import { failureOf, transports } from '../support/faulty-network.ts'

const pem = (name: string) => readFileSync(new URL(`../support/tls/${name}`, import.meta.url))
const ca = pem('ca.pem')
const token = 'Sup3rS3cretT0ken'

interface Listener {
  readonly port: number
  /** The first bytes of each connection, as they came on the wire. */
  readonly connections: Buffer[]
}

/** Starts the server behind a wire on which one sees what is not encrypted. */
async function listen(context: TestContext, server: Server): Promise<Listener> {
  const connections: Buffer[] = []
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    return socket.on('error', () => undefined)
  }
  server.on('connection', keep)
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const wire = createTcp((socket) => {
    const index = connections.push(Buffer.alloc(0)) - 1
    socket.once('data', (bytes: Buffer) => {
      connections[index] = bytes
    })
    const behind = keep(connect((server.address() as AddressInfo).port, '127.0.0.1'))
    keep(socket).pipe(behind).pipe(socket)
  })
  wire.listen(0, '127.0.0.1')
  await once(wire, 'listening')
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    wire.close()
    server.close()
  })
  return { port: (wire.address() as AddressInfo).port, connections }
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
      const { port, connections } = await listen(context, make())
      const endpoint = `${transport === 'grpc' ? 'grpcs' : 'https'}://127.0.0.1:${port}`
      const client = createClient({ endpoint, transport, tls: { ca }, token, timeoutMs: 3000 })
      context.after(() => client.close())
      const { error, tookMs } = await failureOf(client.storeBlob('demo', 'x'))
      assert.deepEqual([error.code, error.reason, error.retryable], ['unavailable', 'tls', false], error.message)
      assert.ok(tookMs < 2000, `${tookMs} ms`)
      // Time for a loop to show itself.
      await new Promise((resolve) => setTimeout(resolve, 100))
      assert.ok(connections.length <= 3, `${connections.length} connections`)
      for (const bytes of connections) {
        // Record type 22 is a handshake (RFC 8446 section 5.1).
        assert.ok(bytes.length === 0 || bytes[0] === 22, 'nothing but TLS is spoken')
        assert.ok(!bytes.includes(token))
      }
    })
  }
}
