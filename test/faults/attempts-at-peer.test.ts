/** However a server fails, a call reaches it no more often than documented, and all retries keep to the budget. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { constants, createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createClient } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { startRefuser } from '../support/http2-peer.ts'

type Transport = (typeof transports)[number]

const kinds: Readonly<Record<string, (stream: ServerHttp2Stream, transport: Transport) => void>> = {
  'refuses every stream': (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM),
  'resets every stream': (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
  'ends the connection with every stream': (stream) => stream.session?.destroy(),
  'answers unavailable': (stream, transport) => {
    const isGrpc = transport === 'grpc'
    const head = isGrpc
      ? { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14' }
      : { ':status': 503 }
    stream.respond(head, { endStream: true })
  }
}

/** Counts the streams that arrive. */
async function startServer(context: TestContext, onStream: (stream: ServerHttp2Stream) => void) {
  const counts = { streams: 0, port: 0 }
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)))
  server.on('session', (session: ServerHttp2Session) => {
    session.on('error', () => undefined)
    session.on('stream', (stream) => {
      stream.on('error', () => undefined)
      counts.streams++
      onStream(stream)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  counts.port = (server.address() as AddressInfo).port
  return counts
}

for (const transport of transports) {
  const scheme = transport === 'grpc' ? 'grpc' : 'http'
  for (const [kind, act] of Object.entries(kinds)) {
    // A session whose connection ends in good order moves, which is no attempt of a call.
    if (!kind.startsWith('ends')) {
      test(`${transport}: a server that ${kind}: as many sessions as attempts`, async (context) => {
        const peer = await startServer(context, (stream) => act(stream, transport))
        const endpoint = `${scheme}://127.0.0.1:${peer.port}`
        const retry = { maxAttempts: 3, baseMs: 1, maxMs: 2, budgetPerSecond: 1e6 }
        const client = createClient({ endpoint, transport, breaker: false, retry, timeoutMs: 20_000 })
        context.after(() => client.close())
        for (let call = 0; call < 10; call++) await assert.rejects(client.storeBlob('demo', `${call}`))
        assert.equal(peer.streams, 30)
      })
    }

    test(`${transport}: a server that ${kind}: at most maxAttempts requests a call, hidden replays included`, async (context) => {
      const peer = await startServer(context, (stream) => act(stream, transport))
      const endpoint = `${scheme}://127.0.0.1:${peer.port}`
      const common = { endpoint, transport, batch: false, breaker: false, timeoutMs: 20_000 } as const
      for (const maxAttempts of [2, 3, 5]) {
        const client = createClient({ ...common, retry: { maxAttempts, baseMs: 1, maxMs: 2, budgetPerSecond: 1e6 } })
        context.after(() => client.close())
        peer.streams = 0
        for (let call = 0; call < 10; call++) await assert.rejects(client.storeBlob('demo', `${call}`))
        assert.equal(peer.streams, 10 * maxAttempts)
        assert.equal(client.stats().attempts, 10 * maxAttempts)
      }
    })

    test(`${transport}: a server that ${kind}: all retries together keep to the budget`, async (context) => {
      const peer = await startServer(context, (stream) => act(stream, transport))
      const endpoint = `${scheme}://127.0.0.1:${peer.port}`
      const retry = { baseMs: 1, maxMs: 2, budgetPerSecond: 0, budgetRatio: 0.2 }
      const client = createClient({ endpoint, transport, batch: false, breaker: false, retry, timeoutMs: 20_000 })
      context.after(() => client.close())
      for (let call = 0; call < 100; call++) await assert.rejects(client.storeBlob('demo', `${call}`))
      assert.ok(peer.streams >= 100 && peer.streams <= 120, `${peer.streams} requests of 100 calls`)
    })
  }
}

for (const transport of ['json', 'msgpack'] as const) {
  test(`${transport}: a server that refuses every stream by GOAWAY: replays take the budget, and without it there is none`, async (context) => {
    const refuser = await startRefuser(context)
    const common = { endpoint: refuser.url, transport, batch: false, breaker: false } as const
    const spent = createClient({ ...common, retry: { budgetPerSecond: 0, budgetRatio: 0 } })
    context.after(() => spent.close())
    for (let call = 0; call < 5; call++) {
      await assert.rejects(spent.storeBlob('demo', `${call}`), { code: 'unavailable', sent: 'never', attempts: 1 })
    }
    assert.equal(spent.stats().attempts, 5)
    const other = createClient({ ...common, retry: { maxAttempts: 3, baseMs: 1 } })
    context.after(() => other.close())
    await assert.rejects(other.storeBlob('demo', 'x'), { code: 'unavailable', reason: 'refused', attempts: 3 })
  })
}
