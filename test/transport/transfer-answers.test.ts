/** Answers with large blobs that are wrong, short, long or cut: each is a typed error, and none passes for a blob. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { ServerHttp2Stream } from 'node:http2'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { blobOid } from '../../src/index.ts'
import type { DownloadAttempt } from '../../src/transport/transfer.ts'
import { startPeer } from '../support/http2-peer.ts'
import { downloadFailure, downloadOf, openTransfers, uploadOf } from '../support/transfer-peer.ts'

const content = randomBytes(300_000)
const oid = blobOid(content)
const { length } = content
const other = 'ab'.repeat(20)
const etag = `"${oid}"`

interface HttpCase {
  readonly name: string
  readonly headers: Record<string, string | number>
  readonly body?: (stream: ServerHttp2Stream) => void
  readonly attempt?: Partial<DownloadAttempt>
  readonly code: string
  readonly reason?: string
  readonly message?: RegExp
}

const partial = { ':status': 206, etag, 'content-range': `bytes 10-19/${length}`, 'content-length': 10 }
const range = { offset: 10, length: 10 }

const httpCases: readonly HttpCase[] = [
  { name: 'no oid', headers: { 'content-length': length }, code: 'internal', reason: 'malformed_response' },
  {
    name: 'an oid that is none',
    headers: { etag: '"xyz"', 'content-length': length },
    code: 'internal',
    reason: 'malformed_response'
  },
  {
    name: 'another blob',
    headers: { etag: `"${other}"`, 'content-length': length },
    code: 'data_loss',
    reason: 'integrity'
  },
  {
    name: 'no length',
    headers: { etag },
    code: 'internal',
    reason: 'malformed_response',
    message: /no content-length/
  },
  {
    name: 'compressed',
    headers: { etag, 'content-length': length, 'content-encoding': 'gzip' },
    code: 'internal',
    reason: 'malformed_response'
  },
  { name: 'a range nobody asked for', headers: partial, code: 'internal', reason: 'malformed_response' },
  {
    name: 'all in place of a range',
    headers: { etag, 'content-length': length },
    attempt: range,
    code: 'internal',
    reason: 'malformed_response',
    message: /whole blob instead/
  },
  {
    name: 'another range',
    headers: { ...partial, 'content-range': `bytes 11-20/${length}` },
    attempt: range,
    code: 'data_loss',
    reason: 'integrity'
  },
  {
    name: 'a longer range',
    headers: { ...partial, 'content-range': `bytes 10-20/${length}` },
    attempt: range,
    code: 'data_loss',
    reason: 'integrity'
  },
  {
    name: 'a shorter range',
    headers: { ...partial, 'content-range': `bytes 10-18/${length}` },
    attempt: range,
    code: 'data_loss',
    reason: 'integrity'
  },
  {
    name: 'a range of nothing known',
    headers: { ...partial, 'content-range': 'bytes */*' },
    attempt: range,
    code: 'internal',
    reason: 'malformed_response'
  },
  {
    name: 'fewer bytes than told',
    headers: { etag, 'content-length': length },
    body: (stream) => stream.end(content.subarray(1)),
    code: 'unavailable'
  },
  {
    name: 'fewer bytes than the range, whose length is not told',
    headers: { ':status': 206, etag, 'content-range': `bytes 10-19/${length}` },
    attempt: range,
    body: (stream) => stream.end(content.subarray(10, 19)),
    code: 'unavailable',
    message: /1 bytes before its end/
  },
  {
    name: 'more bytes than the range, whose length is not told',
    headers: { ':status': 206, etag, 'content-range': `bytes 10-19/${length}` },
    attempt: range,
    body: (stream) => stream.end(content.subarray(10, 21)),
    code: 'internal',
    reason: 'malformed_response'
  },
  {
    name: 'a reset in the middle',
    headers: { etag, 'content-length': length },
    body: (stream) => stream.write(content.subarray(0, 1000), () => stream.close(2)),
    code: 'unavailable',
    message: /RST_STREAM with code/
  },
  {
    name: 'a reset without an error in the middle',
    headers: { etag, 'content-length': length },
    body: (stream) => stream.write(content.subarray(0, 1000), () => stream.close(0)),
    code: 'unavailable'
  },
  {
    name: 'a connection that breaks in the middle',
    headers: { etag, 'content-length': length },
    body: (stream) => stream.write(content.subarray(0, 1000), () => stream.session?.destroy()),
    code: 'unavailable'
  },
  {
    name: 'a digest that is none',
    headers: { ...partial, 'content-digest': 'sha-256=:AAAA:' },
    attempt: range,
    body: (stream) => stream.end(content.subarray(10, 20)),
    code: 'internal',
    reason: 'malformed_response'
  }
]

for (const { name, headers, body, attempt, code, reason = '', message = /./ } of httpCases) {
  test(`HTTP: ${name}`, async (context) => {
    const peer = await startPeer(context, (stream) => {
      stream.respond({ ':status': 200, ...headers })
      if (body) body(stream)
      else stream.end(content)
    })
    const way = await openTransfers(context, 'json', peer.url)
    const error = await downloadFailure(way, downloadOf(oid, attempt))
    assert.deepEqual([error.code, error.reason], [code, reason], String(error))
    assert.match(error.message, message)
    assert.deepEqual([error.transport, error.attempts], ['json', 1])
    assert.equal(way.counters.transferConnections.streams, 0)
  })
}

test('HTTP: a refusal is the error that its body tells', async (context) => {
  const detail = {
    type: 'blobwire.v1.ErrorDetail',
    value: Buffer.from([0x0a, 6, ...Buffer.from('object')]).toString('base64')
  }
  const peer = await startPeer(context, (stream) => {
    stream.respond({ ':status': 404, 'content-type': 'application/json', 'x-request-id': 'r9', 'retry-after': '2' })
    stream.end(JSON.stringify({ code: 'not_found', message: 'no such blob', details: [detail] }))
  })
  const error = await downloadFailure(await openTransfers(context, 'msgpack', peer.url), downloadOf(oid))
  const { code, reason, requestId, sent, details, transport } = error
  assert.deepEqual([code, reason, requestId, sent, transport], ['not_found', 'object', 'r9', 'processed', 'msgpack'])
  assert.equal(details.retryAfterMs, 2000)
})

test('HTTP: a proxy answers for the server', async (context) => {
  const peer = await startPeer(context, (stream, headers) => {
    stream.resume()
    stream.respond({ ':status': headers[':method'] === 'GET' ? 503 : 413, 'content-type': 'text/html' })
    stream.end('<h1>no</h1>')
  })
  const way = await openTransfers(context, 'json', peer.url)
  const down = await downloadFailure(way, downloadOf(oid))
  assert.deepEqual([down.code, down.retryable, down.sent], ['unavailable', true, 'maybe'])
  const up = await way.transport.upload(uploadOf(content)).catch((error) => error)
  assert.deepEqual([up.code, up.reason, up.retryable], ['resource_exhausted', 'request_too_large', false])
})

const uploadAnswers = [
  { name: 'no JSON', body: '<p>', reason: 'malformed_response' },
  { name: 'JSON of another kind', body: '[1]', reason: 'malformed_response' },
  { name: 'a size that is none', body: '{"oid":"x","size":-1}', reason: 'malformed_response' },
  { name: 'far too much', body: ' '.repeat(100_000), reason: 'response_too_large' }
]

for (const { name, body, reason } of uploadAnswers) {
  test(`HTTP: an upload answered with ${name}`, async (context) => {
    const peer = await startPeer(context, (stream) => {
      stream.resume()
      stream.once('end', () => {
        stream.respond({ ':status': 201, 'content-type': 'application/json' })
        stream.end(body)
      })
    })
    const { transport } = await openTransfers(context, 'json', peer.url)
    const error = await transport.upload(uploadOf(content)).catch((found) => found)
    assert.equal(error.reason, reason, String(error))
  })
}

/** An HTTP/1.1 server that answers with these bytes and ends the connection. */
async function startRaw(context: TestContext, answer: Buffer): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', (bytes) => {
      const isPreface = bytes.toString('latin1').startsWith('PRI ')
      socket.end(isPreface ? 'HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n' : answer)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

test('HTTP/1.1: a connection that ends before the blob does', async (context) => {
  const head = `HTTP/1.1 200 OK\r\netag: ${etag}\r\ncontent-length: ${length}\r\n\r\n`
  const url = await startRaw(context, Buffer.concat([Buffer.from(head), content.subarray(0, length - 1)]))
  const error = await downloadFailure(await openTransfers(context, 'json', url), downloadOf(oid))
  assert.deepEqual([error.code, error.retryable], ['unavailable', true], String(error))
})
