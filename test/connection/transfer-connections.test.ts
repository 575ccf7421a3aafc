/** The connections for large blobs: apart from those of calls, one for each transfer, drained and closed like the others. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { ServerHttp2Stream } from 'node:http2'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { ConnectionHealth } from '../../src/connection/health.ts'
import { BusySocket } from '../../src/connection/http2/busy-socket.ts'
import { BlobwireError, blobOid } from '../../src/index.ts'
import { startTcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startPeer, startRefuser } from '../support/http2-peer.ts'
import { pem } from '../support/pem.ts'
import { atEnd, testServer } from '../support/server.ts'
import {
  collected,
  downloadFailure,
  downloadOf,
  openTransfers,
  pieces,
  startGrpcPeer,
  uploadOf
} from '../support/transfer-peer.ts'
import { startTunnelProxy } from '../support/tunnel-proxy.ts'
import { until } from '../support/until.ts'

const content = randomBytes(200_000)
const oid = blobOid(content)
const done = { oid, size: content.length, offset: content.length, complete: true }

/** Answers downloads when the test says so. */
async function startHolding(context: TestContext) {
  const held: ServerHttp2Stream[] = []
  const peer = await startPeer(context, (stream) => {
    held.push(stream)
    stream.respond({ ':status': 200, etag: `"${oid}"`, 'content-length': content.length })
  })
  const release = () => {
    for (const stream of held.splice(0)) stream.end(content)
  }
  return { peer, held, release }
}

test('each transfer has a connection to itself, up to maxTransferConnections; more share them', async (context) => {
  const { peer, release } = await startHolding(context)
  const { transport, counters } = await openTransfers(context, 'json', peer.url, { maxTransferConnections: 2 })
  const begun = await Promise.all(Array.from({ length: 5 }, () => transport.download(downloadOf(oid))))
  const { transferConnections } = counters
  assert.deepEqual([peer.sessions.length, transferConnections.opened, transferConnections.open], [2, 2, 2])
  assert.deepEqual([transferConnections.streams, transferConnections.inUse], [5, 2])
  assert.deepEqual(peer.seen.map((line) => line.slice(0, 1)).sort(), ['1', '1', '1', '2', '2'])
  release()
  for (const { chunks } of begun) assert.ok((await collected(chunks)).equals(content))
  assert.deepEqual(
    [transferConnections.streams, transferConnections.inUse, transferConnections.totalStreams],
    [0, 0, 5]
  )
  assert.equal(counters.connections.opened, 0)
  const next = await transport.download(downloadOf(oid))
  assert.equal(peer.sessions.length, 2)
  release()
  await collected(next.chunks)
})

test('gRPC: the same, with channels', async (context) => {
  const waiting: (() => void)[] = []
  const peers = new Set<string>()
  const url = await startGrpcPeer(context, {
    upload(call, answer) {
      peers.add(call.getPeer())
      call.resume()
      call.once('end', () => waiting.push(() => answer(null, done)))
    }
  })
  const { transport, counters } = await openTransfers(context, 'grpc', url, { maxTransferConnections: 2 })
  const begun = Array.from({ length: 5 }, () => transport.upload(uploadOf(content)))
  await until(() => waiting.length === 5, 'five uploads')
  assert.equal(peers.size, 2)
  assert.deepEqual([counters.transferConnections.opened, counters.transferConnections.streams], [2, 5])
  for (const answer of waiting) answer()
  for (const { oid: found } of await Promise.all(begun)) assert.equal(found, oid)
  assert.deepEqual([counters.transferConnections.streams, counters.connections.opened], [0, 0])
})

test('a transfer runs to its end on a connection that has had a GOAWAY, and the next one has another', async (context) => {
  const { peer, release } = await startHolding(context)
  const { transport, counters } = await openTransfers(context, 'json', peer.url)
  const before = await transport.download(downloadOf(oid))
  // As a server that drains: the first one covers all streams.
  peer.sessions[0]?.goaway(0, 2 ** 31 - 1)
  peer.sessions[0]?.close()
  await until(() => peer.sessions[0]?.closed === true, 'the server drains')
  const after = transport.download(downloadOf(oid))
  await until(() => peer.sessions.length === 2, 'another connection')
  const next = await after
  release()
  assert.ok((await collected(before.chunks)).equals(content))
  assert.ok((await collected(next.chunks)).equals(content))
  await until(() => counters.transferConnections.open === 1, 'the drained connection is closed')
})

test('an upload runs to its end on a connection that has had a GOAWAY', async (context) => {
  const peer = await startPeer(context, async (stream) => {
    const body = await collected(stream)
    stream.respond({ ':status': 201, 'content-type': 'application/json' })
    stream.end(JSON.stringify({ ...done, size: body.length }))
  })
  const { transport } = await openTransfers(context, 'json', peer.url)
  async function* chunks() {
    yield content.subarray(0, 1000)
    await until(() => peer.seen.length === 1, 'the stream')
    peer.sessions[0]?.goaway(0, 2 ** 31 - 1)
    peer.sessions[0]?.close()
    await until(() => peer.sessions[0]?.closed === true, 'the server drains')
    yield* pieces(content.subarray(1000))
  }
  assert.equal((await transport.upload(uploadOf(content, { chunks: chunks() }))).size, content.length)
})

test('a stream above the last one of a GOAWAY was never sent', async (context) => {
  const refuser = await startRefuser(context)
  const { transport } = await openTransfers(context, 'json', refuser.url)
  for (let attempt = 0; attempt < 2; attempt++) {
    const { code, reason, sent, retryable } = await transport.upload(uploadOf(content)).catch((error) => error)
    assert.deepEqual([code, reason, sent, retryable], ['unavailable', 'refused', 'never', true])
  }
  assert.equal(refuser.connections, 2)
})

test('two streams in a row that are reset without an answer drain the connection', async (context) => {
  const peer = await startPeer(context, (stream) => stream.close(11))
  const { transport } = await openTransfers(context, 'json', peer.url)
  for (let attempt = 0; attempt < 4; attempt++) {
    assert.equal((await downloadFailure({ transport } as never, downloadOf(oid))).code, 'unavailable')
  }
  assert.equal(peer.sessions.length, 2)
})

test('an idle connection closes after idleTimeoutMs, one of maxAgeMs after its last transfer', async (context) => {
  const { peer, release } = await startHolding(context)
  const idle = await openTransfers(context, 'json', peer.url, { idleTimeoutMs: 50 })
  const { chunks } = await idle.transport.download(downloadOf(oid))
  release()
  await collected(chunks)
  await until(() => idle.counters.transferConnections.open === 0, 'the idle connection is closed')
  const old = await openTransfers(context, 'json', peer.url, { maxAgeMs: 50 })
  const begun = await old.transport.download(downloadOf(oid))
  await new Promise((resolve) => setTimeout(resolve, 60))
  const other = await old.transport.download(downloadOf(oid))
  assert.equal(old.counters.transferConnections.opened, 2)
  release()
  for (const blob of [begun, other]) assert.ok((await collected(blob.chunks)).equals(content))
  await until(() => old.counters.transferConnections.open === 0, 'the old connections are closed')
})

for (const name of ['json', 'grpc'] as const) {
  test(`${name}: close() ends transfers and their connections`, async (context) => {
    const { peer } = await startHolding(context)
    const grpc = name === 'grpc' && (await startGrpcPeer(context, { download: () => undefined }))
    const { transport, counters } = await openTransfers(context, name, grpc || peer.url)
    const ending = new AbortController()
    const failed = downloadFailure({ transport, counters }, downloadOf(oid, { signal: ending.signal }))
    await until(() => counters.transferConnections.open === 1, 'a connection')
    // grpc-js lets calls go on that nobody ends.
    if (name === 'grpc') ending.abort(new BlobwireError({ reason: 'client_closed', message: 'closed' }))
    await transport.close()
    assert.equal((await failed).reason, 'client_closed')
    await until(() => counters.transferConnections.open === 0, 'no connection')
    assert.equal(counters.transferConnections.streams, 0)
    const late = await transport.download(downloadOf(oid)).catch((error) => error)
    assert.equal(late.name, 'BlobwireError')
    assert.equal(counters.transferConnections.open, 0)
  })

  test(`${name}: through a proxy, and nothing reaches it in cleartext`, async (context) => {
    const server = atEnd(context, await testServer())
    await server.client().createRepository('demo/large')
    const proxy = await startTunnelProxy(context)
    const url = name === 'grpc' ? server.server.grpc.replace(/^http/, 'grpc') : server.server.http
    const { transport } = await openTransfers(context, name, url, { proxy: `http://127.0.0.1:${proxy.port}` })
    assert.equal((await transport.upload(uploadOf(content))).oid, oid)
    const { chunks } = await transport.download(downloadOf(oid))
    assert.ok((await collected(chunks)).equals(content))
    assert.equal(proxy.tunnels.length, 1)
  })
}

test('over TLS, with HTTP/2 and with HTTP/1.1, which ALPN names', async (context) => {
  const files = { cert: pem('server.pem'), key: pem('server.key') }
  const tls = { ca: pem('ca.pem') }
  const secure = atEnd(context, await testServer({ tls: { ...files } }))
  await secure.client({ tls }).createRepository('demo/large')
  const older = createServer(files, async (request, response) => {
    const bytes = (await collected(request)).length
    const isGet = request.method === 'GET'
    response.writeHead(200, isGet ? { etag: `"${oid}"`, 'content-length': content.length } : {})
    response.end(isGet ? content : JSON.stringify({ ...done, size: bytes }))
  })
  await new Promise<void>((resolve) => older.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    older.closeAllConnections()
    older.close()
  })
  const urls = [secure.server.http, `https://127.0.0.1:${(older.address() as AddressInfo).port}`]
  for (const url of urls) {
    const { transport } = await openTransfers(context, 'json', url, { tls })
    assert.equal((await transport.upload(uploadOf(content, { oid }))).oid, oid)
    const { chunks } = await transport.download(downloadOf(oid))
    assert.ok((await collected(chunks)).equals(content))
  }
  const { transport } = await openTransfers(context, 'json', urls[0] as string)
  assert.equal((await transport.upload(uploadOf(content)).catch((error) => error)).reason, 'tls')
})

test('bytes that a full kernel takes are a sign of life: a PING behind them takes its time', async () => {
  const clock = new FakeClock()
  const handle = { writeQueueSize: 5000 }
  const socket = { bytesRead: 0, bytesWritten: 5000, destroyed: false, _handle: handle, destroy }
  function destroy() {
    socket.destroyed = true
  }
  // The kernel takes it where it has room.
  const ping = () => {
    socket.bytesWritten += 17
    if (handle.writeQueueSize > 0) handle.writeQueueSize += 17
  }
  const session = { ping, destroyed: false }
  const options = { clock, pingIntervalMs: 1000, pingTimeoutMs: 500, isBusy: () => true }
  const health = new ConnectionHealth(new BusySocket(socket as unknown as Socket), session as never, options)
  for (let round = 0; round < 5; round++) {
    handle.writeQueueSize -= 100
    clock.advance(500)
  }
  assert.equal(socket.destroyed, false)
  handle.writeQueueSize = 0
  clock.advance(1000)
  clock.advance(1000)
  assert.equal(socket.destroyed, true)
  health.stop()
})

test('an idle connection that is dead is found by a PING, and nothing was sent', async (context) => {
  const { peer, release } = await startHolding(context)
  const wire = atEnd(context, await startTcpProxy(peer.url.replace('http', 'tcp')))
  const { transport } = await openTransfers(context, 'json', `http://127.0.0.1:${wire.port}`, {
    pingIntervalMs: 20,
    pingTimeoutMs: 50
  })
  const { chunks } = await transport.download(downloadOf(oid))
  release()
  await collected(chunks)
  wire.set({ blackHole: true })
  await new Promise((resolve) => setTimeout(resolve, 30))
  const error = await transport.download(downloadOf(oid)).catch((found) => found)
  assert.deepEqual([error.reason, error.sent, error.retryable], ['connection_dead', 'never', true], String(error))
  wire.set({ blackHole: false })
  const next = await transport.download(downloadOf(oid))
  release()
  assert.ok((await collected(next.chunks)).equals(content))
})
