/** Clients that vanish, stall, read nothing, send too much or may not: over HTTP/1.1 and HTTP/2. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as http1Request, type IncomingMessage } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { test } from 'node:test'
import { content, http2Request, slowServer } from '../support/transfers.ts'
import { later, until } from '../support/until.ts'

const mebibyte = 1024 * 1024
const begin = { 'upload-complete': '?1' }

/** A request of node:http whose body the test writes. */
function http1Upload(url: string, headers: Record<string, string>) {
  const request = http1Request(url, { method: 'POST', headers })
  request.on('error', () => undefined)
  const response = new Promise<IncomingMessage | undefined>((resolve) => {
    request.once('response', (answer) => resolve(answer.resume()))
    request.once('close', () => resolve(undefined))
  })
  return { request, response }
}

for (const known of [true, false]) {
  const headers = known ? { ...begin, 'upload-length': '900000' } : begin
  const size = known ? 'a known' : 'an unknown'
  test(`a client that vanishes has not completed its upload, of ${size} size`, async (context) => {
    const { uploads, pathOf, connectHttp2, seen, state } = await slowServer(context)
    const first = http1Upload(`${uploads}/over-http1`, headers)
    first.request.write(content)
    await until(() => seen.bytes === content.length, 'the bytes have come')
    first.request.destroy()
    // A stream that was reset looks to node:http2 as if it had ended.
    const reset = http2Request(connectHttp2(), { ':method': 'POST', ':path': pathOf('uploads/reset'), ...headers })
    reset.stream.write(content)
    await until(() => seen.bytes === 2 * content.length, 'the bytes have come')
    reset.stream.close(8)
    const session = connectHttp2()
    const cut = http2Request(session, { ':method': 'POST', ':path': pathOf('uploads/cut'), ...headers })
    cut.stream.write(content)
    await until(() => seen.bytes === 3 * content.length, 'the bytes have come')
    session.destroy()
    for (const id of ['over-http1', 'reset', 'cut']) {
      assert.deepEqual(await state(id), { status: 204, offset: content.length }, id)
      const headers = { 'upload-complete': '?1', 'upload-offset': String(content.length) }
      const type = { 'content-type': 'application/partial-upload' }
      const rest = Buffer.alloc(900_000 - content.length)
      const done = await fetch(`${uploads}/${id}`, { method: 'PATCH', headers: { ...headers, ...type }, body: rest })
      assert.equal(done.status, 201, id)
    }
  })
}

test('the offset that a client is told is one at which it can go on, though an earlier request still comes', async (context) => {
  const { uploads, seen, state } = await slowServer(context)
  const zombie = http1Upload(`${uploads}/one`, begin)
  zombie.request.write(content)
  await until(() => seen.bytes === content.length, 'the bytes have come')
  const { offset } = await state('one')
  assert.equal(offset, content.length)
  zombie.request.end(content)
  assert.equal((await zombie.response)?.statusCode, 409)
  const headers = {
    'upload-complete': '?1',
    'upload-offset': String(offset),
    'content-type': 'application/partial-upload'
  }
  assert.equal((await fetch(`${uploads}/one`, { method: 'PATCH', headers, body: 'rest' })).status, 201)
})

test('an upload without an id leaves nothing when its client vanishes', async (context) => {
  const { uploads, seen, fixture } = await slowServer(context, { limits: { maxUploadBytes: content.length } })
  const first = http1Upload(uploads, {})
  first.request.write(content)
  await until(() => seen.bytes === content.length, 'the bytes have come')
  first.request.destroy()
  await until(() => fixture.server.memory.heldBytes === 0, 'the transfer has ended')
  // There is no room for another, unless the first is gone.
  assert.equal((await fetch(uploads, { method: 'POST', body: content })).status, 201)
})

test('an upload of which nothing comes ends, is kept, and its client told', async (context) => {
  const { uploads, pathOf, connectHttp2, state, fixture } = await slowServer(context, { bodyTimeoutMs: 300 })
  const one = http1Upload(`${uploads}/one`, begin)
  one.request.write(content)
  const two = http2Request(connectHttp2(), { ':method': 'POST', ':path': pathOf('uploads/two'), ...begin })
  two.stream.write(content)
  assert.equal((await one.response)?.statusCode, 504)
  await once(two.stream, 'end')
  two.stream.end()
  const { status, body } = await two.answer
  assert.deepEqual([status, JSON.parse(String(body)).details[0].debug.reason], [504, 'stalled'])
  assert.deepEqual([await state('one'), await state('two')], Array(2).fill({ status: 204, offset: content.length }))
  one.request.destroy()
  assert.equal(fixture.server.memory.heldBytes, 0)
})

test('an upload takes as long as it takes, while bytes come', async (context) => {
  const { uploads } = await slowServer(context, { headersTimeoutMs: 100, bodyTimeoutMs: 1000 })
  const { request, response } = http1Upload(uploads, begin)
  const began = performance.now()
  // Longer than Node gives a request of HTTP/1.1, which would be the sum of both times.
  while (performance.now() - began < 2000) {
    request.write('x')
    await later(50)
  }
  request.end()
  assert.equal((await response)?.statusCode, 201)
})

test('a store that is slow stops its client, and is no stalled client', async (context) => {
  const { pathOf, connectHttp2, shut, open, seen, fixture } = await slowServer(context, { bodyTimeoutMs: 100 })
  shut()
  const path = pathOf('uploads/slow')
  const { stream, answer } = http2Request(connectHttp2(), { ':method': 'POST', ':path': path, ...begin })
  const total = 24 * mebibyte
  stream.end(Buffer.alloc(total))
  await until(() => seen.bytes > 0, 'the first bytes have come')
  await until(() => stream.bufferSize > 0, 'the window is full')
  // Longer than the time for a body: the store holds it up.
  await later(300)
  assert.ok(seen.bytes < mebibyte, `${seen.bytes} bytes were given to a store that waits`)
  const { memory } = fixture.server
  assert.ok(memory.heldBytes > 0 && memory.heldBytes < mebibyte, `${memory.heldBytes}`)
  await until(() => memory.unread.bytes > 0, 'the bytes that wait are counted')
  shutNoMore()
  assert.equal((await answer).status, 201)
  assert.equal(memory.heldBytes, 0)

  function shutNoMore() {
    open()
    setImmediate(function again() {
      open()
      if (!stream.closed) setImmediate(again)
    })
  }
})

test('a download goes no further than its client reads, and ends when that reads nothing', async (context) => {
  const { uploads, pathOf, http, seen, fixture } = await slowServer(context, { idleTimeoutMs: 400 })
  const large = Buffer.alloc(64 * mebibyte)
  const put = await fetch(uploads, { method: 'PUT', body: large })
  const { oid } = (await put.json()) as { oid: string }
  seen.bytes = 0
  const socket = connectTcp(Number(new URL(http).port), '127.0.0.1')
  context.after(() => socket.destroy())
  socket.on('error', () => undefined)
  socket.pause()
  socket.write(`GET ${pathOf(`blobs/${oid}`)} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
  await until(() => seen.bytes > mebibyte, 'it has begun')
  await until(() => fixture.server.memory.heldBytes === 0, 'it has ended')
  assert.ok(seen.bytes < large.length / 2, `${seen.bytes} bytes were read for a client that reads nothing`)
})

const grants = [
  { token: 'writer', access: 'write' as const, repositories: ['*'] },
  { token: 'reader', access: 'read' as const, repositories: ['*'] }
]

for (const [token, status] of [
  ['reader', 403],
  ['nobody', 401]
] as const) {
  test(`no byte is taken from a caller without the right: ${token}, who is told so while the bytes come`, async (context) => {
    const { uploads, pathOf, connectHttp2, seen } = await slowServer(context, { grants })
    const authorization = `Bearer ${token}`
    const response = await fetch(uploads, {
      method: 'PUT',
      headers: { authorization },
      body: Buffer.alloc(4 * mebibyte)
    })
    assert.equal(response.status, status)
    const post = { ':method': 'POST', ':path': pathOf('uploads'), ...begin }
    const { stream, answer } = http2Request(connectHttp2(), { ...post, authorization })
    stream.end(Buffer.alloc(40 * mebibyte))
    const { status: told, informed } = await answer
    assert.deepEqual([told, informed], [status, []])
    const waiting = http1Upload(uploads, { authorization, expect: '100-continue', 'content-length': '1000000000' })
    let isAsked = false
    waiting.request.once('continue', () => {
      isAsked = true
    })
    assert.equal((await waiting.response)?.statusCode, status)
    assert.deepEqual([isAsked, seen.bytes], [false, 0])
    waiting.request.destroy()
  })
}

test('a client that waits with its body is asked for it', async (context) => {
  const { uploads } = await slowServer(context)
  const headers = { ...begin, expect: '100-continue', 'content-length': String(content.length) }
  const { request, response } = http1Upload(uploads, headers)
  request.once('continue', () => request.end(content))
  request.flushHeaders()
  assert.equal((await response)?.statusCode, 201)
})

test('when the server closes, transfers may end, and end then so that they can go on elsewhere', async (context) => {
  const { uploads, pathOf, connectHttp2, seen, fixture } = await slowServer(context, { transferDrainMs: 100 })
  await fetch(uploads, { method: 'PUT', body: Buffer.alloc(24 * mebibyte) })
  const session = connectHttp2()
  const upload = http2Request(session, { ':method': 'POST', ':path': pathOf('uploads/cut'), ...begin })
  upload.stream.write(content)
  seen.bytes = 0
  await until(() => seen.bytes >= content.length, 'the upload has begun')
  const closed = fixture.server.close()
  await once(upload.stream, 'end')
  upload.stream.end()
  const { status, body } = await upload.answer
  assert.deepEqual([status, JSON.parse(String(body)).code], [503, 'unavailable'])
  await closed
})

test('a server without room takes no further transfer', async (context) => {
  // A transfer has two chunks of 1 MiB; an eighth of the 5 MiB are reserved for small requests.
  const limits = {
    chunkBytes: mebibyte,
    maxBatchBytes: 2 * mebibyte,
    maxInFlightBytes: 5 * mebibyte,
    maxConnectionInFlightBytes: 4 * mebibyte
  }
  const { pathOf, connectHttp2, seen } = await slowServer(context, { limits })
  const session = connectHttp2()
  const begun = (id: string) => {
    const upload = http2Request(session, { ':method': 'POST', ':path': pathOf(`uploads/${id}`), ...begin })
    upload.stream.write(content)
    return upload
  }
  const first = begun('a')
  const second = begun('b')
  await until(() => seen.bytes === 2 * content.length, 'two have begun')
  const third = begun('c')
  third.stream.end()
  const refused = await third.answer
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1'])
  first.stream.end()
  assert.equal((await first.answer).status, 201)
  const again = begun('c')
  again.stream.end()
  assert.equal((await again.answer).status, 201)
  second.stream.end()
})
