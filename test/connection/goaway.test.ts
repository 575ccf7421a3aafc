/** Servers that leave: no request is lost, none hangs, and sessions move. */
import assert from 'node:assert/strict'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { type BlobwireError, createClient } from '../../src/index.ts'
import { answer, openWay, startPeer, startRefuser } from '../support/http2-peer.ts'
import { startReverseProxy } from '../support/reverse-proxy.ts'
import { atEnd, testServer } from '../support/server.ts'
import { later, until } from '../support/until.ts'

test('GOAWAY above our streams: they complete, new ones take a fresh connection at once', async (context) => {
  const held: ServerHttp2Stream[] = []
  const peer = await startPeer(context, (stream, headers) => {
    if (headers[':path'] === '/long') held.push(stream)
    else answer(stream, 'ok')
  })
  const way = openWay(context, peer.url)
  const long = way.get('/long')
  await until(() => held.length === 1, 'the long request')
  peer.sessions[0]?.goaway(0, 2 ** 31 - 1)
  await until(() => way.counters.open === 1 && peer.sessions.length === 1, 'one connection')
  await later(20)
  assert.equal(await way.get('/new'), 'ok')
  assert.deepEqual(peer.seen, ['1 /long', '2 /new'])
  answer(held[0] as ServerHttp2Stream, 'done')
  assert.equal(await long, 'done')
  await until(() => way.counters.open === 1, 'the old connection closed')
})

test('GOAWAY at our stream: it completes', async (context) => {
  const peer = await startPeer(context, (stream, _headers, connection) => {
    if (connection === 1) stream.session?.goaway(0, stream.id as number)
    setTimeout(() => answer(stream, `${connection}`), 20)
  })
  const way = openWay(context, peer.url)
  assert.equal(await way.get('/'), '1')
  assert.equal(await way.get('/'), '2')
})

test('GOAWAY below our stream: it is replayed once on another connection', async (context) => {
  const peer = await startPeer(context, (stream, _headers, connection) => {
    if (connection === 1 && stream.id === 3) stream.session?.goaway(0, 1)
    else answer(stream, `${connection}`)
  })
  const way = openWay(context, peer.url)
  assert.equal(await way.get('/a'), '1')
  assert.equal(await way.get('/b'), '2')
  assert.deepEqual(peer.seen, ['1 /a', '1 /b', '2 /b'])
})

test('a server that refuses everything is asked twice, and the error says that nothing was sent', async (context) => {
  const peer = await startRefuser(context)
  const way = openWay(context, peer.url)
  await assert.rejects(way.get('/a'), (error: BlobwireError) => {
    assert.deepEqual([error.code, error.reason, error.sent], ['unavailable', 'refused', 'never'])
    return true
  })
  assert.equal(peer.connections, 2)
  assert.equal(way.counters.streams, 0)
})

test('REFUSED_STREAM: replayed at most once, then said so', async (context) => {
  const peer = await startPeer(context, (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM))
  const way = openWay(context, peer.url)
  await assert.rejects(way.get('/a'), (error: BlobwireError) => {
    assert.deepEqual([error.code, error.reason, error.sent], ['unavailable', 'refused', 'never'])
    return true
  })
  assert.ok(peer.seen.length <= 2, peer.seen.join())
})

test('GOAWAY in two steps under load: every request is answered', async (context) => {
  const peer = await startPeer(context, (stream, _headers, connection) => {
    setTimeout(() => answer(stream, `${connection}`), 2)
  })
  const way = openWay(context, peer.url)
  const answers: Promise<string>[] = []
  let last = 0
  for (let round = 0; round < 100; round++) {
    answers.push(way.get(`/${round}`))
    if (round === 30) peer.sessions[0]?.goaway(0, 2 ** 31 - 1)
    if (round === 40) {
      const session = peer.sessions[0]
      last = peer.seen.filter((seen) => seen.startsWith('1 ')).length * 2 - 1
      if (session && !session.destroyed) session.goaway(0, last)
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  const connections = new Set(await Promise.all(answers))
  // Requests that undici replays by itself have a connection of their own.
  assert.ok(connections.size >= 2 && connections.size <= 3, [...connections].join())
})

test('a stream that is refused before it began ends with reason refused, and without onMove', async (context) => {
  const peer = await startRefuser(context)
  const way = openWay(context, peer.url)
  const error = await new Promise<unknown>((resolve, reject) => {
    const unexpected = () => reject(new Error('unexpected'))
    way.openStream(
      { path: '/s', method: 'POST', body: new Readable({ read: () => undefined }) },
      {
        onStart: () => undefined,
        onGoaway: unexpected,
        onHeaders: unexpected,
        onData: unexpected,
        onEnd: unexpected,
        onError: resolve
      }
    )
  })
  assert.equal((error as BlobwireError).reason, 'refused')
})

for (const transport of ['json', 'msgpack', 'grpc'] as const) {
  for (const steps of [1, 2]) {
    test(`${transport}: a session moves on GOAWAY in ${steps} steps, and no call is lost or sent twice`, async (context) => {
      const fixture = atEnd(context, await testServer())
      const isGrpc = transport === 'grpc'
      const peer = await startReverseProxy(context, fixture.server)
      const endpoint = isGrpc ? peer.url.replace('http', 'grpc') : peer.url
      const client = createClient({ endpoint, transport, timeoutMs: 5000 })
      context.after(() => client.close())
      await client.createRepository('demo')
      const calls: Promise<unknown>[] = []
      for (let round = 0; round < 60; round++) {
        calls.push(client.storeBlob('demo', `content ${round}\n`))
        if (round === 20) peer.sessions[0]?.goaway(0, steps === 2 ? 2 ** 31 - 1 : 2 * peer.seen.length - 1)
        if (round === 40 && steps === 2) {
          const session = peer.sessions[0]
          if (session && !session.destroyed) session.goaway(0, 2 * peer.seen.length - 1)
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
      await Promise.all(calls)
      await client.storeBlob('demo', 'after\n')
      const { sessions, resent, failures, connections } = client.stats()
      assert.deepEqual({ sessions, resent, failures }, { sessions: 2, resent: 0, failures: 0 })
      assert.equal(connections.opened, 2)
      assert.equal(peer.seen.filter((seen) => seen.endsWith('/Session')).length, 2)
      await until(() => client.stats().connections.open === 1, 'the old connection closed')
    })
  }
}

test('sessions that are refused before they begin are opened again, a limited number of times', async (context) => {
  const refuser = await startRefuser(context)
  const client = createClient({ endpoint: refuser.url, timeoutMs: 5000 })
  context.after(() => client.close())
  await assert.rejects(client.storeBlob('demo', 'x'), (error: BlobwireError) => {
    assert.deepEqual([error.code, error.attempts], ['unavailable', 6])
    return true
  })
  assert.equal(refuser.connections, 6)
})

test('a session moves when its connection reaches maxAgeMs', async (context) => {
  const fixture = atEnd(context, await testServer())
  const client = fixture.client({ connection: { maxAgeMs: 100 } })
  await client.createRepository('demo')
  const began = performance.now()
  for (let calls = 0; client.stats().sessions < 4; calls++) {
    await client.storeBlob('demo', `content ${calls}\n`)
  }
  // A session moves when the age of its connection is over, and not before.
  assert.ok(performance.now() - began >= 3 * 100 - 3)
  const { resent, failures, connections } = client.stats()
  assert.deepEqual({ resent, failures }, { resent: 0, failures: 0 })
  assert.ok(connections.opened >= 3, `${connections.opened} connections`)
  assert.ok(connections.open <= 2, `${connections.open} open`)
})

test('300 GOAWAYs leave nothing behind', async (context) => {
  const peer = await startPeer(context, (stream, _headers, connection) => answer(stream, `${connection}`))
  const way = openWay(context, peer.url)
  for (let round = 1; round <= 300; round++) {
    const connection = await way.get('/')
    const streams = peer.seen.filter((seen) => seen.startsWith(`${connection} `)).length
    // The next request is on its way at the same time. (With a larger id node:http2 servers ignore it without a word.)
    peer.sessions[Number(connection) - 1]?.goaway(0, 2 * streams - 1)
  }
  // node:http2 servers that have sent one stop reading, so that only our side can be looked at.
  await until(() => way.counters.open <= 1, 'the old connections closed')
  assert.ok(way.counters.opened <= 602, `${way.counters.opened} connections`)
  await way.close()
  await until(() => way.counters.open === 0, 'no socket left')
  assert.deepEqual([way.counters.open, way.counters.inUse, way.counters.streams], [0, 0, 0])
})
