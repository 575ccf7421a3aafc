/** What takes too long, or does nothing, ends: on both ports, in cleartext and under TLS. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { encode } from '@msgpack/msgpack'
import type { ServerOptions } from '../../server-fixture/server.ts'
import type { VcsService } from '../../server-fixture/service/vcs-service.ts'
import { createClient } from '../../src/index.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { pem } from '../support/pem.ts'
import { emptyOperations, grpcMessage, rawCall, rawGrpc } from '../support/raw-grpc.ts'
import { type Frame, flags, frameBytes, frameReader, frameTypes, headerBlock, preface } from '../support/raw-http2.ts'
import { atEnd, testServer } from '../support/server.ts'
import { later, until } from '../support/until.ts'

const timeout = 20_000
const never = 1e6

type Security = 'cleartext' | 'tls'
type Port = 'http' | 'grpc'
const places = (['cleartext', 'tls'] as const).flatMap((security) =>
  (['http', 'grpc'] as const).map((port) => ({ security, port }))
)

/** A server with the limits that a test is about; the others do not strike. */
async function limited(context: TestContext, security: Security, options: Partial<ServerOptions>) {
  const files = { cert: pem('server.pem'), key: pem('server.key') }
  const none = { headersTimeoutMs: never, bodyTimeoutMs: never, idleTimeoutMs: never, callTimeoutMs: never }
  return atEnd(context, await testServer({ ...none, tls: security === 'tls' ? files : undefined, ...options }))
}

interface Peer {
  readonly socket: Socket
  readonly isOver: boolean
  /** It answers PING and SETTINGS, as long as nothing is in the way. */
  answers: boolean
  /** Types of the frames that came. */
  readonly received: number[]
  send(frame: Frame): void
}

/** A peer that has sent its preface, and that answers what has to be answered unless told otherwise. */
async function peerOf(context: TestContext, url: string, answers = true): Promise<Peer> {
  const port = Number(new URL(url).port)
  const socket = url.startsWith('https')
    ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] })
    : connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  context.after(() => socket.destroy())
  const received: number[] = []
  const peer: Peer = {
    socket,
    received,
    answers,
    send: (frame) => void socket.write(frameBytes(frame)),
    get isOver() {
      return socket.destroyed || socket.readableEnded
    }
  }
  socket.on(
    'data',
    frameReader(({ type, flags: set, payload }) => {
      received.push(type)
      if (!peer.answers || (set & flags.ack) !== 0) return
      if (type === frameTypes.settings) peer.send({ type, flags: flags.ack })
      if (type === frameTypes.ping) peer.send({ type, flags: flags.ack, payload })
    }, false)
  )
  if (!answers) return peer
  socket.write(preface)
  peer.send({ type: frameTypes.settings })
  // The server's own SETTINGS, and its answer to these.
  await until(() => received.filter((type) => type === frameTypes.settings).length === 2, 'SETTINGS')
  return peer
}

const over = (peer: Peer, why: string) => until(() => peer.isOver, why)

/** The peer does this until the connection is over. */
async function drip(peer: Peer, step: () => void): Promise<void> {
  while (!peer.isOver) {
    step()
    await later(10)
  }
}

const requestBlock = (port: Port, path: string) =>
  headerBlock([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':authority', '127.0.0.1'],
    [':path', `/${serviceName}/${path}`],
    [
      'content-type',
      port === 'grpc' ? 'application/grpc' : `application/${path === 'Session' ? 'connect+' : ''}msgpack`
    ],
    ['te', 'trailers']
  ])

for (const { security, port } of places) {
  describe(`${port}, ${security}:`, () => {
    test('connections that send nothing, and headers that never end, are closed', { timeout }, async (context) => {
      const { server } = await limited(context, security, { headersTimeoutMs: 200 })
      const url = server[port]
      // Nothing at all, in the middle of a handshake for TLS.
      const mute = connect({ port: Number(new URL(url).port), host: '127.0.0.1' })
      mute.on('error', () => undefined)
      mute.resume()
      const muteOver = once(mute, 'close')
      const open = await peerOf(context, url)
      const payload = headerBlock([['x-a', 'b']])
      const dripping = await peerOf(context, url)
      dripping.answers = false
      dripping.send({ type: frameTypes.headers, stream: 1, payload: requestBlock(port, 'GetCapabilities') })
      const dripped = drip(dripping, () => dripping.send({ type: frameTypes.continuation, stream: 1, payload }))
      // The block is a part of what answers a PING, so that it comes with it.
      const stalled = await peerOf(context, url)
      await until(() => stalled.received.includes(frameTypes.ping), 'a PING')
      stalled.answers = false
      stalled.send({ type: frameTypes.headers, stream: 1, payload: requestBlock(port, 'GetCapabilities') })
      await over(stalled, 'a header block without an end')
      await dripped
      await muteOver
      // A connection that answers is not closed, and is not asked for ever.
      assert.equal(open.isOver, false)
      const asked = open.received.filter((type) => type === frameTypes.ping).length
      assert.ok(asked >= 1 && asked <= 3, `${asked}`)
    })

    test('content that arrives slowly is no header that never ends', { timeout }, async (context) => {
      // On a busy machine even a handshake takes a while.
      const { server } = await limited(context, security, { headersTimeoutMs: 400 })
      // It answers no PING, because content is in the way.
      const slow = await peerOf(context, server[port], false)
      slow.socket.write(preface)
      slow.send({ type: frameTypes.settings })
      const payload = requestBlock(port, 'GetCapabilities')
      slow.send({ type: frameTypes.headers, flags: flags.endHeaders, stream: 1, payload })
      const dripped = drip(slow, () => slow.send({ type: frameTypes.data, stream: 1, payload: Buffer.alloc(1) }))
      for (let round = 0; round < 2; round++) {
        await over(await peerOf(context, server[port], false), 'a connection that sends nothing')
        assert.equal(slow.isOver, false)
      }
      slow.socket.destroy()
      await dripped
    })

    test('connections and streams that do nothing are closed', { timeout }, async (context) => {
      const { server } = await limited(context, security, { idleTimeoutMs: 200 })
      const idle = await peerOf(context, server[port])
      // Neither the end of its request nor anything else comes.
      const waiting = await peerOf(context, server[port])
      const payload = requestBlock(port, 'GetCapabilities')
      waiting.send({ type: frameTypes.headers, flags: flags.endHeaders, stream: 1, payload })
      await over(idle, 'a connection without a stream')
      assert.ok(idle.received.includes(frameTypes.goaway))
      await until(() => waiting.received.includes(frameTypes.rstStream), 'the reset of a stream that does nothing')
      await over(waiting, 'its connection')
    })

    test('a session that does nothing ends, and its client makes another', { timeout }, async (context) => {
      const { server, keep } = await limited(context, security, { idleTimeoutMs: 200 })
      const endpoint = port === 'grpc' ? server.grpc.replace(/^http/, 'grpc') : server.http
      const tls = security === 'tls' ? { ca: pem('ca.pem') } : undefined
      const client = keep(
        createClient({ endpoint, transport: port === 'grpc' ? 'grpc' : 'msgpack', tls, retry: false })
      )
      const session = rawGrpc(server[port])
      context.after(() => session.destroy())
      const call = rawCall(session, 'Session', port === 'grpc' ? {} : { 'content-type': 'application/connect+msgpack' })
      let last = ''
      call.stream.on('data', (chunk) => {
        last = String(chunk)
      })
      await call.closed
      if (port === 'grpc') assert.equal(call.answer['grpc-status'], '0')
      else assert.match(last, /\{\}$/)
      await client.createRepository('demo')
      for (let round = 0; round < 3; round++) {
        await client.storeBlob('demo', `${round}`)
        await until(() => client.stats().connections.open === 0, 'the idle connection is closed')
      }
    })

    test('a body, and a message of a session, that drips is refused', { timeout }, async (context) => {
      const { server } = await limited(context, security, { bodyTimeoutMs: 200 })
      for (const path of ['BatchOperations', 'Session']) {
        const session = rawGrpc(server[port])
        context.after(() => session.destroy())
        const message =
          port === 'grpc' || path === 'Session' ? grpcMessage(emptyOperations(500)) : encode('x'.repeat(500))
        const contentType = `application/${path === 'Session' ? 'connect+' : ''}msgpack`
        const call = rawCall(session, path, port === 'grpc' ? {} : { 'content-type': contentType })
        let text = ''
        call.stream.on('data', (chunk) => {
          text += String(chunk)
        })
        let at = 0
        while (call.answer['grpc-status'] === undefined && !text.includes('deadline_exceeded')) {
          assert.ok(at < message.length - 1, 'refused before it is complete')
          call.stream.write(message.subarray(at, ++at))
          await later(10)
        }
        if (port === 'grpc') assert.equal(call.answer['grpc-status'], '4')
      }
    })

    test('a call without a deadline has one', { timeout }, async (context) => {
      const aborted: boolean[] = []
      const decorate = (service: VcsService): VcsService => ({
        limits: service.limits,
        capabilities: () => service.capabilities(),
        call: (_method, _request, { signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              aborted.push(true)
              reject(new Error('aborted'))
            })
          }),
        upload: (opening, call) => service.upload(opening, call),
        download: (request, call) => service.download(request, call),
        watch: (request, sink, call) => service.watch(request, sink, call),
        sessionBatch: (batch, call) => service.sessionBatch(batch, call)
      })
      const { server } = await limited(context, security, { callTimeoutMs: 100, decorate })
      const session = rawGrpc(server[port])
      context.after(() => session.destroy())
      const call = rawCall(session, 'GetRepository', port === 'grpc' ? {} : { 'content-type': 'application/msgpack' })
      call.stream.end(port === 'grpc' ? grpcMessage(Buffer.alloc(0)) : encode({ repository: 'demo' }))
      await call.closed
      if (port === 'grpc') assert.equal(call.answer['grpc-status'], '4')
      else assert.equal(call.answer[':status'], 504)
      assert.deepEqual(aborted, [true])
    })
  })
}

for (const security of ['cleartext', 'tls'] as const) {
  test(`HTTP/1.1, ${security}: headers that drip are cut off, of later requests too`, { timeout }, async (context) => {
    const { server } = await limited(context, security, { headersTimeoutMs: 200 })
    const port = Number(new URL(server.http).port)
    for (const before of ['', 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n']) {
      const socket =
        security === 'tls'
          ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
          : connect({ port, host: '127.0.0.1' })
      socket.on('error', () => undefined)
      context.after(() => socket.destroy())
      let text = ''
      socket.on('data', (chunk) => {
        text += String(chunk)
      })
      socket.write(before)
      if (before) await until(() => text.includes('SERVING'), 'an answer')
      socket.write('GET /healthz HTTP/1.1\r\n')
      while (!socket.destroyed && !socket.readableEnded) {
        socket.write('a: b\r\n')
        await later(10)
      }
    }
  })
}
