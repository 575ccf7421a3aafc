/** Bytes that are not HTTP/2 break a connection, and change no protocol: that takes a server that speaks HTTP/1.1. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createClient } from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'

const noises: Record<string, Buffer> = {
  noise: Buffer.alloc(50_000, 0xa5),
  'another protocol': Buffer.from('SSH-2.0-OpenSSH_9.2p1\r\n'),
  'a TLS alert': Buffer.of(0x15, 3, 1, 0, 2, 2, 0x28),
  'almost HTTP/1.1': Buffer.from(`HTTP/1.1 is what I would answer\r\n${'x'.repeat(100)}`),
  'the begin of HTTP/1.1': Buffer.from('HTTP/1.1')
}

/** A port that answers the next connections with noise, and passes the others on. */
async function startNoisy(context: TestContext, port: number, noise: Buffer) {
  const state = { url: '', burst: 0, connections: 0, begins: new Set<string>(), received: '' }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    state.connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', (first: Buffer) => {
      state.begins.add(first.toString('latin1', 0, 14))
      if (state.burst > 0) {
        state.burst--
        state.received += first.toString('latin1')
        socket.on('data', (more: Buffer) => {
          state.received += more.toString('latin1')
        })
        socket.write(noise)
        return
      }
      const upstream = connect(port, '127.0.0.1')
      sockets.add(upstream)
      upstream.on('error', () => undefined).on('close', () => socket.destroy())
      socket.on('close', () => upstream.destroy())
      upstream.write(first)
      socket.pipe(upstream).pipe(socket)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  state.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  return state
}

for (const transport of ['json', 'msgpack'] as const) {
  for (const [name, noise] of Object.entries(noises)) {
    test(`${transport}: ${name} in a burst, first or later, leaves HTTP/2 and sessions`, async (context) => {
      const grants = [{ token: 'secret', access: 'write', repositories: ['*'] }] as const
      const { server } = atEnd(context, await testServer({ grants }))
      const peer = await startNoisy(context, Number(new URL(server.http).port), noise)
      const retry = { maxAttempts: 10, baseMs: 1, maxMs: 10 }
      const connection = { connectTimeoutMs: 500 }
      const client = createClient({ endpoint: peer.url, transport, token: 'secret', retry, breaker: false, connection })
      context.after(() => client.close())
      // A unary call meets the first burst, a session the second; both before anything was answered.
      peer.burst = 2
      await client.createRepository('demo')
      await client.storeBlob('demo', 'x')
      const other = createClient({ endpoint: peer.url, transport, token: 'secret', retry, breaker: false, connection })
      context.after(() => other.close())
      peer.burst = 3
      await Promise.all([other.storeBlob('demo', 'y'), other.storeBlob('demo', 'z')])
      for (const { batching, noSessionReason } of [client.stats(), other.stats()]) {
        assert.deepEqual([batching, noSessionReason], ['session', ''])
      }
      assert.equal(peer.burst, 0)
      assert.deepEqual([...peer.begins], ['PRI * HTTP/2.0'], 'no request of HTTP/1.1')
    })
  }

  test(`${transport}: a port that never speaks HTTP is unavailable, retryable, and gets no token in clear`, async (context) => {
    const peer = await startNoisy(context, 0, noises['noise'] as Buffer)
    peer.burst = Number.POSITIVE_INFINITY
    const client = createClient({ endpoint: peer.url, transport, token: 'secret', retry: false, timeoutMs: 5000 })
    context.after(() => client.close())
    for (const call of [client.createRepository('demo'), client.storeBlob('demo', 'x')]) {
      await assert.rejects(call, { code: 'unavailable', reason: '', retryable: true, attempts: 1 })
    }
    assert.doesNotMatch(peer.received, /authorization|HTTP\/1\.1\r\n/i)
  })
}
