/** Refusals reach clients that are still sending, over every protocol of the HTTP server. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { drainRequest, drainStream } from '../../server-fixture/http/drain.ts'
import { pem } from '../support/pem.ts'
import { openSocket, RawHttp1, RawHttp2, type SplitRequest } from '../support/raw-requests.ts'
import { atEnd, testServer } from '../support/server.ts'
import { settlesAtOnce } from '../support/until.ts'

const service = '/blobwire.v1.VcsService'
const post = { method: 'POST', path: `${service}/StoreBlob` } as const
const json = { 'content-type': 'application/json' }
const good = { authorization: 'Bearer good' }
const half = 512 * 1024
const body = { bytesBefore: half, bytesAfter: half }
const bodiless = { bytesBefore: 0, bytesAfter: 0 }
const tls = { cert: pem('server.pem'), key: pem('server.key') }

interface Refusal extends SplitRequest {
  readonly status: number
}

const early: Record<string, Refusal> = {
  'no token': { ...post, ...body, headers: json, status: 401 },
  'a wrong token': { ...post, ...body, headers: { ...json, authorization: 'Bearer bad' }, status: 401 },
  'an unknown content type': { ...post, ...body, headers: { ...good, 'content-type': 'text/plain' }, status: 415 },
  'an unknown encoding': { ...post, ...body, headers: { ...json, ...good, 'content-encoding': 'br' }, status: 501 },
  'another method': { ...post, ...body, method: 'PUT', headers: { ...json, ...good }, status: 405 },
  'an unknown method of the service': { ...body, method: 'POST', path: `${service}/No`, headers: json, status: 501 },
  'an unknown path': { ...body, method: 'POST', path: '/no', headers: json, status: 404 },
  'a body that is too large': {
    ...post,
    bytesBefore: 5 << 20,
    bytesAfter: 2 << 20,
    headers: { ...json, ...good },
    status: 429
  },
  'a deadline': { ...post, ...body, headers: { ...json, ...good, 'connect-timeout-ms': '1' }, status: 504 }
}

const protocols = ['h2c', 'h2 with TLS', 'HTTP/1.1', 'HTTP/1.1 with TLS'] as const

/** A connection to a server of its own. */
async function connection(context: TestContext, protocol: (typeof protocols)[number]) {
  const grants = [{ token: 'good', access: 'write' as const, repositories: ['*'] }]
  const log: unknown[] = []
  const fixture = await testServer({
    grants,
    log: (event) => log.push(event),
    ...(protocol.endsWith('TLS') ? { tls } : {})
  })
  const isHttp2 = protocol.startsWith('h2')
  const socket = await openSocket(fixture.server.http, isHttp2 ? 'h2' : 'http/1.1')
  context.after(() => {
    socket.destroy()
    return fixture[Symbol.asyncDispose]()
  })
  const peer = isHttp2 ? new RawHttp2(socket) : new RawHttp1(socket)
  return { fixture, log, socket, split: (request: SplitRequest) => peer.split(request) }
}

for (const protocol of protocols) {
  test(`${protocol}: a request that is refused before its end is read to its end, and the connection goes on`, async (context) => {
    const { split } = await connection(context, protocol)
    for (const [name, { status, ...request }] of Object.entries(early)) {
      const answer = await split(request)
      assert.deepEqual([answer.status, answer.wasReset], [status, false], name)
    }
    const served = await split({ ...bodiless, method: 'GET', path: '/healthz', headers: {} })
    assert.equal(served.status, 200)
  })

  test(`${protocol}: answers without a body arrive`, async (context) => {
    const { fixture, log, split } = await connection(context, protocol)
    const secure = protocol.endsWith('TLS') ? { tls: { ca: pem('ca.pem') } } : {}
    const repo = fixture.client({ token: 'good', ...secure }).repository('demo')
    await repo.createRepository()
    const { oid } = await repo.storeBlob('hello\n')
    const path = `/v1/repositories/demo/blobs/${oid}`
    const blob = { ...bodiless, method: 'GET', path, headers: good }
    const missing = path.replace(oid, 'ab'.repeat(20))
    const cases: Record<string, Refusal> = {
      'not modified': { ...blob, headers: { ...good, 'if-none-match': `"${oid}"` }, status: 304 },
      'a range outside': { ...blob, headers: { ...good, range: 'bytes=100-' }, status: 416 },
      'OPTIONS of a blob': { ...blob, method: 'OPTIONS', status: 204 },
      'OPTIONS of a call': { ...blob, method: 'OPTIONS', path: post.path, status: 204 },
      'GET of a call': { ...blob, path: post.path, status: 405 },
      'no content type': { ...bodiless, ...post, headers: good, status: 415 },
      HEAD: { ...blob, method: 'HEAD', status: 200 },
      'HEAD of a missing blob': { ...blob, method: 'HEAD', path: missing, status: 404 },
      'HEAD without a token': { ...blob, method: 'HEAD', headers: {}, status: 401 },
      'HEAD of an unknown path': { ...blob, method: 'HEAD', path: '/no', status: 404 }
    }
    for (const [name, { status, ...request }] of Object.entries(cases)) {
      const answer = await split(request)
      assert.deepEqual([answer.status, answer.wasReset], [status, false], name)
    }
    assert.deepEqual(log, [])
  })
}

for (const protocol of ['h2c', 'h2 with TLS'] as const) {
  test(`gRPC over ${protocol}: a refused call is read to its end, and the connection goes on`, async (context) => {
    const { fixture } = await connection(context, protocol)
    const socket = await openSocket(fixture.server.grpc, 'h2')
    context.after(() => socket.destroy())
    const peer = new RawHttp2(socket)
    const call = { ...post, ...body, headers: { 'content-type': 'application/grpc', te: 'trailers' } }
    const refused: Record<string, Refusal> = {
      'no token': { ...call, status: 200 },
      'a wrong token': { ...call, headers: { ...call.headers, authorization: 'Bearer bad' }, status: 200 },
      'no token for a session': { ...call, path: `${service}/Session`, status: 200 },
      'an unknown method': { ...call, path: `${service}/No`, status: 200 },
      'another content type': { ...call, headers: { 'content-type': 'text/plain' }, status: 415 }
    }
    for (const [name, { status, ...request }] of Object.entries(refused)) {
      for (const bytesBefore of [0, half]) {
        const answer = await peer.split({ ...request, bytesBefore })
        assert.deepEqual([answer.status, answer.wasReset], [status, false], `${name}, ${bytesBefore} B`)
      }
    }
  })

  test(`${protocol}: a session that fails is read until its client ends it`, async (context) => {
    const { split } = await connection(context, protocol)
    const path = `${service}/Session`
    // Spaces are the head of an envelope that is too large.
    const headers = { ...good, 'content-type': 'application/connect+json' }
    const answer = await split({ method: 'POST', path, headers, ...body })
    assert.deepEqual([answer.status, answer.wasReset], [200, false])
    assert.match(answer.text, /"code":"resource_exhausted"/)
  })
}

test('HTTP/1.1: the body of a refused chunked request is read to its end, too', async (context) => {
  const { socket } = await connection(context, 'HTTP/1.1')
  const peer = new RawHttp1(socket)
  const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`
  socket.write(
    `POST ${post.path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n`
  )
  socket.write(chunk)
  assert.equal((await peer.answer('POST')).status, 415)
  socket.write(`${chunk.repeat(8)}0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n`)
  assert.equal((await peer.answer('GET')).status, 200)
})

test('HTTP/1.1: a client that waits with its body is refused before it sends, and asked for the body otherwise', async (context) => {
  const { socket } = await connection(context, 'HTTP/1.1')
  const peer = new RawHttp1(socket)
  const head = (authorization: string) =>
    `POST ${post.path} HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-type: application/json\r\n` +
    `content-length: 2\r\nauthorization: ${authorization}\r\n\r\n`
  socket.write(head('Bearer good'))
  assert.equal((await peer.answer('POST')).status, 100)
  socket.write('{}')
  assert.equal((await peer.answer('POST')).status, 400)
  socket.write(head('Bearer bad'))
  const refused = await peer.answer('POST')
  assert.equal(refused.status, 401)
  assert.match(refused.text, /^connection: close\r$/im)
  // The server takes the body for two bytes, then the connection ends in good order.
  socket.write('{}')
  await once(socket, 'end')
})

for (const protocol of ['HTTP/1.1', 'HTTP/1.1 with TLS'] as const) {
  test(`${protocol}: a request that cannot be read is answered while it still comes`, async (context) => {
    const { fixture } = await connection(context, protocol)
    const cases: [head: string, status: number][] = [
      ['NONSENSE\r\n\r\n', 400],
      [`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`, 431],
      ['POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n', 400]
    ]
    for (const [head, status] of cases) {
      const socket = await openSocket(fixture.server.http, 'http/1.1', { allowHalfOpen: true })
      const peer = new RawHttp1(socket)
      socket.write(head)
      assert.equal((await peer.answer('GET')).status, status, head.slice(0, 40))
      const sent = await new Promise((resolve) => socket.end(Buffer.alloc(half, 0x20), () => resolve(socket.errored)))
      assert.equal(sent, null, head.slice(0, 40))
      if (!socket.closed) await once(socket, 'close')
    }
  })
}

test('HTTP/1.1: a request that was answered gets no second answer when its time is over', async (context) => {
  const fixture = atEnd(context, await testServer({ headersTimeoutMs: 100, bodyTimeoutMs: 100 }))
  const socket = await openSocket(fixture.server.http, 'http/1.1')
  const peer = new RawHttp1(socket)
  socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{')
  assert.equal((await peer.answer('POST')).status, 404)
  assert.deepEqual(await peer.answer('POST'), { status: 0, text: '' })
  const slow = new RawHttp1(await openSocket(fixture.server.http, 'http/1.1'))
  slow.socket.write('POST / HTTP/1.1\r\nhost:')
  assert.equal((await slow.answer('POST')).status, 408)
})

test('HTTP/1.1: a request that says it is longer than the server drops is told that the connection ends', async (context) => {
  const { split, socket } = await connection(context, 'HTTP/1.1')
  const size = 9 * 1024 * 1024
  const request = { ...post, headers: json, bytesBefore: size, bytesAfter: size }
  const { text } = await split(request)
  assert.match(text, /^HTTP\/1\.1 401/)
  assert.match(text, /^connection: close\r$/im)
  // With the bytes that nobody took, the connection may end by a reset; the answer is there.
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
})

test('what is dropped of one request is bounded in bytes and in time', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const megabyte = Buffer.alloc(1024 * 1024)
  for (const bound of ['bytes', 'time', 'neither'] as const) {
    const closed: number[] = []
    const body = Object.assign(new PassThrough(), { close: (code: number) => closed.push(code) })
    drainStream(body as unknown as ServerHttp2Stream)
    const request = Object.assign(new PassThrough(), { socket: { destroy: () => request.destroy() } })
    const drained = drainRequest(request as unknown as IncomingMessage)
    for (let count = 0; count < 16; count++) {
      body.write(megabyte)
      request.write(megabyte)
      await new Promise(setImmediate)
    }
    assert.deepEqual([closed, request.destroyed], [[], false])
    if (bound === 'bytes') for (const peer of [body, request]) peer.write('x')
    if (bound === 'neither') for (const peer of [body, request]) peer.end()
    await new Promise(setImmediate)
    if (bound !== 'bytes') context.mock.timers.tick(5000)
    await settlesAtOnce(drained)
    assert.equal(request.readableEnded, bound === 'neither', bound)
    assert.deepEqual(closed.slice(0, 1), bound === 'neither' ? [] : [0], bound)
  }
})
