/** Dead connections are found, and live ones are left alone. */
import assert from 'node:assert/strict'
import type { ServerHttp2Stream } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { Client } from 'undici'
import { ConnectionHealth, sessionOn } from '../../src/connection/health.ts'
import type { BlobwireError } from '../../src/index.ts'
import { startTcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { faultyNetwork, transports } from '../support/faulty-network.ts'
import { answer, openWay, startPeer } from '../support/http2-peer.ts'
import { atEnd } from '../support/server.ts'
import { later, settlesWithin, until } from '../support/until.ts'

test('the HTTP/2 session that undici opens on a socket is found, and can PING', async (context) => {
  const peer = await startPeer(context, (stream) => answer(stream, 'ok'))
  let socket: Socket | undefined
  const client = new Client(peer.url, {
    allowH2: true,
    connect(_target, callback) {
      socket = connect(peer.port, '127.0.0.1', () =>
        callback(null, Object.assign(socket as Socket, { alpnProtocol: 'h2' }))
      )
    }
  })
  context.after(() => client.destroy())
  await (await client.request({ path: '/', method: 'GET' })).body.text()
  const session = sessionOn(socket as Socket)
  assert.ok(session, 'undici has moved it: see sessionOn')
  await new Promise<void>((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())))
})

test('nothing is found on any other socket', () => {
  assert.equal(sessionOn({ [Symbol('x')]: { ping: () => undefined }, [Symbol('y')]: null }), undefined)
})

/** A TCP proxy in front of a peer, and its URL. */
async function startWire(context: TestContext, target: string) {
  const proxy = atEnd(context, await startTcpProxy(target))
  return { proxy, url: `http://127.0.0.1:${proxy.port}` }
}

/** The liveness of a connection whose events are the test's. */
function watched(isBusy: () => boolean) {
  const clock = new FakeClock()
  const socket = {
    bytesRead: 0,
    destroyed: false,
    error: undefined as unknown,
    destroy: (_error?: Error) => socket as never
  }
  socket.destroy = (error) => {
    socket.destroyed = true
    socket.error = error
    return socket as never
  }
  const pings: ((error: Error | null) => void)[] = []
  const ping = (callback: (error: Error | null, ms: number, payload: Buffer) => void) => {
    pings.push((error) => callback(error, 1, Buffer.alloc(8)))
    return true
  }
  const session = { ping: ping as never, destroyed: false }
  const parts = { clock, pingIntervalMs: 30_000, pingTimeoutMs: 15_000, isBusy }
  return { clock, socket, pings, liveness: new ConnectionHealth(socket, session, parts) }
}

test('a connection with streams and nothing received is pinged each interval; answers keep the connection', () => {
  const { clock, socket, pings } = watched(() => true)
  for (let round = 1; round <= 5; round++) {
    clock.advance(30_000)
    assert.equal(pings.length, round)
    pings.at(-1)?.(null)
    clock.advance(0)
  }
  assert.equal(socket.destroyed, false)
})

test('no PING where bytes come, and none without streams', () => {
  let isBusy = true
  const { clock, socket, pings } = watched(() => isBusy)
  for (let round = 0; round < 3; round++) {
    socket.bytesRead += 100
    clock.advance(30_000)
  }
  isBusy = false
  clock.advance(90_000)
  assert.equal(pings.length, 0)
})

test('no answer in time: the connection is destroyed, and its error says maybe', () => {
  const { clock, socket, pings } = watched(() => true)
  clock.advance(44_999)
  assert.deepEqual([pings.length, socket.destroyed], [1, false])
  clock.advance(1)
  assert.equal(socket.destroyed, true)
  const { code, reason, sent } = socket.error as BlobwireError
  assert.deepEqual([code, reason, sent], ['unavailable', 'connection_dead', 'maybe'])
  clock.advance(100_000)
  assert.equal(clock.pending, 0)
})

test('bytes of any kind are as good as the answer', () => {
  const { clock, socket } = watched(() => true)
  clock.advance(40_000)
  socket.bytesRead++
  clock.advance(10_000)
  assert.equal(socket.destroyed, false)
})

test('a suspect connection has one second, and is asked once at a time', () => {
  const { clock, socket, pings, liveness } = watched(() => true)
  for (let times = 0; times < 10; times++) liveness.suspect()
  assert.equal(pings.length, 1)
  clock.advance(999)
  assert.equal(socket.destroyed, false)
  clock.advance(1)
  assert.equal(socket.destroyed, true)
})

test('a stream on a connection that has gone silent fails within interval and timeout', async (context) => {
  const peer = await startPeer(context, (stream) => stream.respond({ ':status': 200 }))
  const { proxy, url } = await startWire(context, peer.url)
  const way = openWay(context, url, { pingIntervalMs: 60, pingTimeoutMs: 60 })
  const body = new Readable({ read: () => undefined })
  let onHeaders = () => {}
  const answered = new Promise<void>((resolve) => {
    onHeaders = resolve
  })
  const failed = new Promise<BlobwireError>((resolve) => {
    const ignore = () => undefined
    const onError = (error: unknown) => resolve(error as BlobwireError)
    const handler = { onStart: ignore, onGoaway: ignore, onHeaders, onData: ignore, onEnd: ignore, onError }
    way.openStream({ path: '/s', method: 'POST', body }, { ...handler, onHeaders: () => onHeaders() })
  })
  await answered
  // As long as PINGs are answered it stays, however little is said.
  await later(250)
  assert.equal(way.counters.open, 1)
  proxy.partition()
  const error = await settlesWithin(failed, 10_000)
  assert.deepEqual([error.code, error.reason, error.sent], ['unavailable', 'connection_dead', 'maybe'])
})

test('a connection that died while it was idle is found before it is used', async (context) => {
  const seen: ServerHttp2Stream[] = []
  const peer = await startPeer(context, (stream) => {
    seen.push(stream)
    answer(stream, 'ok')
  })
  const { proxy, url } = await startWire(context, peer.url)
  const way = openWay(context, url, { pingIntervalMs: 30, pingTimeoutMs: 60 })
  await way.get('/a')
  proxy.halfOpen()
  await later(60)
  const answers = await Promise.all([way.get('/b'), way.get('/c'), way.get('/d')])
  assert.deepEqual(answers, ['ok', 'ok', 'ok'])
  assert.deepEqual([way.counters.opened, seen.length], [2, 4])
  assert.equal(way.counters.open, 1)
})

test('a live connection is used again after its PING', async (context) => {
  const peer = await startPeer(context, (stream) => answer(stream, 'ok'))
  const way = openWay(context, peer.url, { pingIntervalMs: 20 })
  let pings = 0
  await way.get('/a')
  peer.sessions[0]?.on('ping', () => pings++)
  await later(50)
  await way.get('/b')
  assert.deepEqual([pings, way.counters.opened], [1, 1])
})

test('a server that accepts and says nothing is left after the connect timeout', async (context) => {
  const peer = await startPeer(context, (stream) => answer(stream, 'ok'))
  const { proxy, url } = await startWire(context, peer.url)
  proxy.silent = true
  const way = openWay(context, url, { connectTimeoutMs: 80 })
  await assert.rejects(way.get('/'), (error: BlobwireError) => {
    assert.deepEqual([error.code, error.reason], ['unavailable', 'connect_timeout'])
    return true
  })
  await until(() => way.counters.open === 0, 'the connection is closed')
})

for (const transport of transports) {
  for (const batch of [undefined, false] as const) {
    test(`${transport}${batch === false ? ', one request each' : ''}: after a partition the next call works long before its deadline`, async (context) => {
      const { proxy, client: open } = await faultyNetwork(context, transport)
      const client = open({ batch, timeoutMs: 20_000, retry: {}, breaker: {} })
      await client.storeBlob('demo', 'before')
      proxy.partition()
      await assert.rejects(client.storeBlob('demo', 'lost', { timeoutMs: 100 }), (error: BlobwireError) => {
        assert.deepEqual([error.code, error.sent], ['deadline_exceeded', 'maybe'])
        return true
      })
      proxy.halfOpen()
      proxy.heal()
      // Single requests are sent again by the retry layer, sessions by the batcher.
      const call = () => settlesWithin(client.storeBlob('demo', 'found'), 10_000)
      await call().catch((error: BlobwireError) => {
        assert.deepEqual([batch, error.code, error.retryable], [false, 'unavailable', true])
        return call()
      })
      assert.equal(client.stats().batching, batch === false ? 'off' : 'session')
    })
  }
}
