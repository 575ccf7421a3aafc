/** How many connections are opened, which one a request takes, and when they are closed. */
import assert from 'node:assert/strict'
import type { ServerHttp2Stream } from 'node:http2'
import { test } from 'node:test'
import { BlobwireError } from '../../src/index.ts'
import { answer, openWay, startPeer } from '../support/http2-peer.ts'
import { later, until } from '../support/until.ts'

test('200 requests at once on a cold client open one connection', async (context) => {
  const peer = await startPeer(context, (stream, _headers, connection) => answer(stream, `${connection}`))
  const way = openWay(context, peer.url)
  const answers = await Promise.all(Array.from({ length: 200 }, () => way.get('/')))
  assert.deepEqual([...new Set(answers)], ['1'])
  assert.equal(peer.sessions.length, 1)
  const { opened, open, streams, totalStreams, inUse } = way.counters
  assert.deepEqual(
    { opened, open, streams, totalStreams, inUse },
    { opened: 1, open: 1, streams: 0, totalStreams: 200, inUse: 0 }
  )
})

test('more connections are opened at the soft cap, up to the limit, and the fewest streams are chosen', async (context) => {
  const held: ServerHttp2Stream[] = []
  const peer = await startPeer(context, (stream) => held.push(stream))
  const way = openWay(context, peer.url, { maxStreamsPerConnection: 2, maxConnections: 3 })
  const calls = Array.from({ length: 9 }, (_, index) => way.get(`/${index}`))
  await until(() => held.length === 9, 'nine requests in flight')
  const byConnection = peer.seen
    .map((seen) => seen[0])
    .sort()
    .join('')
  assert.equal(byConnection, '111222333')
  assert.deepEqual([way.counters.inUse, way.counters.streams], [3, 9])
  for (const stream of held) answer(stream, 'ok')
  await Promise.all(calls)
})

test('a server that allows one stream gets one on each connection', async (context) => {
  const held: ServerHttp2Stream[] = []
  const peer = await startPeer(context, (stream) => held.push(stream), { maxConcurrentStreams: 1 })
  const way = openWay(context, peer.url, { maxConnections: 2 })
  const first = way.get('/first')
  await until(() => held.length === 1, 'the first request')
  const second = way.get('/second')
  await until(() => held.length === 2, 'the second request')
  assert.deepEqual(peer.seen, ['1 /first', '2 /second'])
  // A third waits for one of them.
  const third = way.get('/third')
  for (const stream of held.splice(0)) answer(stream, 'ok')
  await until(() => held.length === 1, 'the third request')
  for (const stream of held) answer(stream, 'ok')
  await Promise.all([first, second, third])
})

test('idle connections are closed, but for those that are to be kept', async (context) => {
  const held: ServerHttp2Stream[] = []
  const peer = await startPeer(context, (stream) => held.push(stream))
  const options = { maxStreamsPerConnection: 1, idleTimeoutMs: 50, maxIdleConnections: 1 }
  const way = openWay(context, peer.url, options)
  const calls = Array.from({ length: 3 }, () => way.get('/'))
  await until(() => held.length === 3, 'three requests')
  assert.equal(way.counters.open, 3)
  for (const stream of held) answer(stream, 'ok')
  await Promise.all(calls)
  await until(() => way.counters.open === 1 && peer.sockets.size === 1, 'one connection left')
  await later(150)
  assert.equal(way.counters.open, 1)
})

test('an idle client keeps no connection by default, and opens one again', async (context) => {
  const peer = await startPeer(context, (stream, _headers, connection) => answer(stream, `${connection}`))
  const way = openWay(context, peer.url, { idleTimeoutMs: 30 })
  assert.equal(await way.get('/'), '1')
  await until(() => way.counters.open === 0 && peer.sockets.size === 0, 'no connection left')
  assert.equal(await way.get('/'), '2')
})

test('a connection of maxAgeMs takes no new streams, finishes its open ones, and closes', async (context) => {
  const held: ServerHttp2Stream[] = []
  const peer = await startPeer(context, (stream, headers) => {
    if (headers[':path'] === '/long') held.push(stream)
    else answer(stream, 'ok')
  })
  const way = openWay(context, peer.url, { maxAgeMs: 60 })
  const long = way.get('/long')
  await until(() => held.length === 1, 'the long request')
  await later(70)
  await way.get('/new')
  assert.deepEqual(peer.seen, ['1 /long', '2 /new'])
  answer(held[0] as ServerHttp2Stream, 'late but whole')
  assert.equal(await long, 'late but whole')
  await until(() => peer.sessions[0]?.destroyed === true, 'the old connection closed')
})

test('close() closes every socket, in use or not', async (context) => {
  const held: ServerHttp2Stream[] = []
  const peer = await startPeer(context, (stream) => held.push(stream))
  const way = openWay(context, peer.url, { maxStreamsPerConnection: 1 })
  const calls = Promise.allSettled([way.get('/a'), way.get('/b')])
  await until(() => held.length === 2, 'two requests')
  await way.close()
  const ends = await calls
  assert.deepEqual(
    ends.map(({ status }) => status),
    ['rejected', 'rejected']
  )
  await until(() => peer.sockets.size === 0, 'no socket left')
  assert.deepEqual([way.counters.open, way.counters.streams, way.counters.inUse], [0, 0, 0])
})

test('a port without a listener: never sent, counted, and tried again by the next call', async (context) => {
  const peer = await startPeer(context, (stream) => answer(stream, 'ok'))
  const way = openWay(context, peer.url.replace(String(peer.port), '9'))
  for (const failures of [1, 2]) {
    await assert.rejects(way.get('/'), (error: BlobwireError) => {
      assert.ok(error instanceof BlobwireError, String(error))
      assert.deepEqual([error.code, error.sent, error.retryable], ['unavailable', 'never', true])
      return true
    })
    assert.equal(way.counters.failures, failures)
  }
  assert.deepEqual([way.counters.opened, way.counters.streams], [0, 0])
})

test('headers beyond the limit fail', async (context) => {
  const peer = await startPeer(context, (stream) => {
    stream.respond({ ':status': 200, 'x-large': 'x'.repeat(20_000) })
    stream.end('ok')
  })
  assert.equal(await openWay(context, peer.url).get('/'), 'ok')
  const small = openWay(context, peer.url, { maxHeaderBytes: 8192 })
  // The first request may be answered before the server knows.
  await small.get('/').catch(() => undefined)
  await assert.rejects(small.get('/'))
})
