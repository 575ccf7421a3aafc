/**
 * The HTTP server as raw clients see it: statuses, limits, encodings, HTTP/1.1 beside h2c, and peers that behave badly.
 */
import assert from 'node:assert/strict'
import { request as http1Request } from 'node:http'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { after, before, test } from 'node:test'
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { atEnd, type TestServer, testServer } from '../support/server.ts'
import { BlockingStore } from '../support/stores.ts'
import { settlesWithin } from '../support/until.ts'
import { badZstd } from '../support/zstd.ts'

const service = '/blobwire.v1.VcsService'
const maxBatchBytes = 64 * 1024
const helloOid = 'ce013625030ba8dba906f756967f9e9ca394464a'
const hello = Buffer.from('hello\n').toString('base64')

let fixture: TestServer
before(async () => {
  fixture = await testServer({
    limits: { maxBatchBytes, maxInlineBytes: 16 * 1024 },
    headersTimeoutMs: 300,
    bodyTimeoutMs: 300
  })
  await post('CreateRepository', { repository: 'demo' })
  await post('StoreBlob', { repository: 'demo', content: hello })
})
after(() => fixture[Symbol.asyncDispose]())

/** fetch speaks HTTP/1.1 here. */
async function post(method: string, body: unknown, headers: Record<string, string> = {}) {
  const payload = body instanceof Uint8Array || typeof body === 'string' ? body : JSON.stringify(body)
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: payload }
  const response = await fetch(`${fixture.server.http}${service}/${method}`, init as RequestInit)
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

const serves = async () => assert.equal((await post('GetRepository', { repository: 'demo' })).status, 200)

test('health and capabilities are plain GETs', async () => {
  const health = await fetch(`${fixture.server.http}/healthz`)
  assert.deepEqual([health.status, await health.json()], [200, { status: 'SERVING' }])
  const head = await fetch(`${fixture.server.http}/healthz`, { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text()], [200, ''])
  const response = await fetch(`${fixture.server.http}/.well-known/blobwire`)
  const capabilities = (await response.json()) as {
    limits: { maxBatchBytes: string }
    transports: { transport: string }[]
  }
  assert.equal(capabilities.limits.maxBatchBytes, String(maxBatchBytes))
  assert.deepEqual(
    capabilities.transports.map(({ transport }) => transport),
    ['json', 'msgpack', 'grpc']
  )
})

test('errors are Connect error objects with Connect statuses', async () => {
  const cases: [string, object, number, string][] = [
    ['GetRepository', { repository: 'none' }, 404, 'not_found'],
    ['GetRepository', { repository: '../x' }, 400, 'invalid_argument'],
    ['GetRepository', { repository: 5 }, 400, 'invalid_argument'],
    ['NoSuchMethod', {}, 501, 'unimplemented'],
    ['QueryUpload', { repository: 'demo', uploadId: 'none' }, 404, 'not_found'],
    ['CreateRepository', { repository: 'demo', objectFormat: 'sha256' }, 409, 'already_exists'],
    [
      'StoreBlob',
      { repository: 'demo', content: Buffer.alloc(16 * 1024 + 1).toString('base64') },
      429,
      'resource_exhausted'
    ],
    ['BatchOperations', { repository: 'demo', operations: new Array(1001).fill({}) }, 429, 'resource_exhausted']
  ]
  for (const [method, body, status, code] of cases) {
    const answer = await post(method, body, { 'x-request-id': 'id-1' })
    assert.deepEqual([answer.status, answer.body.code], [status, code], method)
    assert.equal(answer.headers.get('content-type'), 'application/json')
    assert.equal(answer.headers.get('x-request-id'), 'id-1')
    assert.equal(answer.body.details[0].debug.requestId, 'id-1')
  }
})

test('a protocol violation is refused before the body is read', async () => {
  assert.equal((await fetch(`${fixture.server.http}${service}/CreateRepository`)).status, 405)
  assert.equal((await post('GetRepository', '{}', { 'content-type': 'text/plain' })).status, 415)
  assert.equal((await post('GetRepository', '{}', { 'content-encoding': 'br' })).body.code, 'unimplemented')
  assert.equal((await post('GetRepository', '{}', { 'connect-protocol-version': '2' })).body.code, 'invalid_argument')
  for (const timeout of ['x', '-1', '1.5', '12345678901']) {
    assert.equal((await post('GetRepository', '{}', { 'connect-timeout-ms': timeout })).body.code, 'invalid_argument')
  }
  assert.equal((await fetch(`${fixture.server.http}/nothing`)).status, 404)
  await serves()
})

test('bad bodies: not JSON, not of their encoding, bombs, gzip in gzip', async () => {
  const gzip = { 'content-encoding': 'gzip' }
  const [zstd, deflate] = [{ 'content-encoding': 'zstd' }, { 'content-encoding': 'deflate' }]
  const sound = Buffer.from(JSON.stringify({ repository: 'demo' }))
  assert.equal((await post('GetRepository', gzipSync(sound), gzip)).status, 200)
  assert.equal((await post('GetRepository', zstdCompressSync(sound), zstd)).status, 200)
  for (const form of [deflateSync, deflateRawSync]) {
    assert.equal((await post('GetRepository', form(sound), deflate)).status, 200)
  }
  const damaged = gzipSync(sound)
  damaged[damaged.length - 8] = (damaged.at(-8) ?? 0) ^ 1
  const cases: [string | Uint8Array, Record<string, string>, string][] = [
    ['{', {}, 'invalid_argument'],
    ['[]', {}, 'invalid_argument'],
    ['{"a":1,"a":2}', {}, 'invalid_argument'],
    [sound, gzip, 'invalid_argument'],
    [damaged, gzip, 'invalid_argument'],
    [gzipSync(sound).subarray(0, -3), gzip, 'invalid_argument'],
    [gzipSync(gzipSync(sound)), gzip, 'invalid_argument'],
    [gzipSync(Buffer.alloc(64 * 1024 * 1024)), gzip, 'resource_exhausted'],
    ...Object.values(badZstd(sound)).map((body): [Uint8Array, Record<string, string>, string] => [
      body,
      zstd,
      'invalid_argument'
    ]),
    [zstdCompressSync(Buffer.alloc(64 * 1024 * 1024)), zstd, 'resource_exhausted'],
    [deflateSync(sound).subarray(0, -3), deflate, 'invalid_argument'],
    [deflateRawSync(Buffer.alloc(64 * 1024 * 1024)), deflate, 'resource_exhausted'],
    [sound, { 'content-encoding': 'br' }, 'unimplemented']
  ]
  for (const [body, headers, code] of cases) {
    const answer = await post('GetRepository', body, headers)
    assert.equal(answer.body.code, code, JSON.stringify(answer.body))
  }
  await serves()
})

/** Sends a body in pieces over HTTP/2, and gives the answer. */
function stream(session: ClientHttp2Session, headers: object, pieces: Iterable<Uint8Array>) {
  return new Promise<{ status: number | undefined; body: string; sent: number }>((resolve, reject) => {
    const path = `${service}/StoreBlob`
    const request = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/json',
      ...headers
    })
    let status: number | undefined
    let body = ''
    let sent = 0
    request.on('response', (response) => {
      status = response[':status']
    })
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('error', reject)
    request.on('close', () => resolve({ status, body, sent }))
    const iterator = pieces[Symbol.iterator]()
    const next = () => {
      const piece = iterator.next()
      if (request.closed || request.destroyed) return
      if (piece.done) {
        request.end()
        return
      }
      sent += piece.value.length
      request.write(piece.value, () => setImmediate(next))
    }
    next()
  })
}

test('a body over the limit is refused by its length, and while it comes', async () => {
  const session = connectHttp2(fixture.server.http)
  // More than the server drops of a refused request.
  const size = 32 * 1024 * 1024
  const pieces = Array.from({ length: size / 16384 }, () => Buffer.alloc(16384, 0x20))
  for (const headers of [{ 'content-length': String(size) }, {}]) {
    const { status, body, sent } = await stream(session, headers, pieces)
    assert.equal(status, 429)
    const { limit } = JSON.parse(body).details[0].debug
    assert.deepEqual([limit.limit, limit.maximum], ['max_batch_bytes', maxBatchBytes])
    assert.ok(sent < size, `${sent} bytes were taken`)
  }
  session.close()
  await serves()
})

test('a length over the limit is refused without waiting for the body', async () => {
  const session = connectHttp2(fixture.server.http)
  const headers = { 'content-type': 'application/json', 'content-length': String(maxBatchBytes + 1) }
  const request = session.request({ ':method': 'POST', ':path': `${service}/StoreBlob`, ...headers })
  request.on('error', () => undefined)
  const status = await new Promise((resolve) => request.on('response', (answer) => resolve(answer[':status'])))
  // Had it waited, the body's own time would have ended it with 504.
  assert.equal(status, 429)
  session.destroy()
})

test('the client’s deadline ends the call on the server', async (context) => {
  const store = new BlockingStore()
  context.after(() => store.release())
  const { server } = atEnd(context, await testServer({ store }))
  const headers = { 'content-type': 'application/json', 'connect-timeout-ms': '30' }
  const init = { method: 'POST', headers, body: '{"repository":"demo"}' }
  const response = await fetch(`${server.http}${service}/GetRepository`, init)
  const { code } = (await response.json()) as { code: string }
  assert.deepEqual([response.status, code], [504, 'deadline_exceeded'])
})

test('a dripping body is cut off after bodyTimeoutMs', async () => {
  const session = connectHttp2(fixture.server.http)
  const answer = await new Promise<{ status: number | undefined }>((resolve) => {
    const request = session.request({
      ':method': 'POST',
      ':path': `${service}/StoreBlob`,
      'content-type': 'application/json'
    })
    request.write('{')
    request.on('response', (headers) => resolve({ status: headers[':status'] }))
    request.on('error', () => undefined)
  })
  assert.equal(answer.status, 504)
  session.destroy()
  await serves()
})

test('connections with dripping or missing headers are closed after headersTimeoutMs', async () => {
  const { port } = new URL(fixture.server.http)
  for (const beginning of ['', 'P', 'PRI * HT', 'POST / HTTP/1.1\r\nx-a: ']) {
    const closed = new Promise<void>((resolve) => {
      const socket = connectTcp(Number(port), '127.0.0.1', () => socket.write(beginning))
      socket.resume()
      socket.on('error', () => undefined)
      socket.once('close', () => resolve())
    })
    await settlesWithin(closed, 10_000)
  }
  await serves()
})

test('clients that reset, vanish or talk nonsense do not disturb others', async () => {
  const { port } = new URL(fixture.server.http)
  for (let round = 0; round < 20; round++) {
    const session = connectHttp2(fixture.server.http)
    session.on('error', () => undefined)
    const request = session.request({
      ':method': 'POST',
      ':path': `${service}/StoreBlob`,
      'content-type': 'application/json'
    })
    request.on('error', () => undefined)
    request.write('{"repository":"demo"')
    if (round % 2 === 0) request.close(8)
    else setImmediate(() => session.destroy())
    await new Promise((resolve) => request.once('close', resolve))
    session.destroy()
  }
  for (const nonsense of [
    '\x16\x03\x01\x02\x00\x01',
    'GET',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    '\0\0\0\r\n\r\n'
  ]) {
    await new Promise<void>((resolve) => {
      const socket = connectTcp(Number(port), '127.0.0.1', () => socket.end(nonsense))
      socket.resume()
      socket.on('error', () => undefined)
      socket.once('close', () => resolve())
    })
  }
  await serves()
})

test('HTTP/1.1 with chunked transfer, and h2c, on the same port', async () => {
  const { port } = new URL(fixture.server.http)
  const status = await new Promise((resolve, reject) => {
    const path = `${service}/GetRepository`
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
    const request = http1Request({ port, path, method: 'POST', headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('error', reject)
    request.write('{"repository"')
    setImmediate(() => request.end(':"demo"}'))
  })
  assert.equal(status, 200)
  const session = connectHttp2(fixture.server.http)
  const answer = await stream(session, {}, [Buffer.from(JSON.stringify({ repository: 'demo', content: hello }))])
  assert.deepEqual([answer.status, JSON.parse(answer.body)], [200, { oid: helloOid, size: '6' }])
  session.close()
})
