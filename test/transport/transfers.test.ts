/** Large blobs as a server sees them, and as it sends them: the form of each request, and the bytes. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { blobOid } from '../../src/index.ts'
import { startPeer } from '../support/http2-peer.ts'
import {
  collected,
  downloadOf,
  openTransfers,
  pieces,
  received,
  startGrpcPeer,
  uploadOf
} from '../support/transfer-peer.ts'

const content = randomBytes(1024 * 1024 + 7)
const oid = blobOid(content)
const sha256 = createHash('sha256').update(content).digest()
const done = { oid, size: content.length, offset: content.length, complete: true }
const path = '/v1/repositories/demo/large'

/** Without the symbol that Node adds. */
const plain = (headers: object) => Object.fromEntries(Object.entries(headers))

for (const name of ['json', 'msgpack'] as const) {
  test(`${name}: an upload is one request with the raw bytes, and the digests behind them`, async (context) => {
    const seen: object[] = []
    const peer = await startPeer(context, async (stream, headers) => {
      const { body, trailers } = await received(stream)
      seen.push({ headers, trailers, isSame: body.equals(content) })
      stream.respond({ ':status': 201, 'content-type': 'application/json' })
      stream.end(JSON.stringify(done))
    })
    const { transport, counters } = await openTransfers(context, name, peer.url)
    assert.deepEqual({ ...(await transport.upload(uploadOf(content))) }, done)
    assert.equal(seen.length, 1)
    const [{ headers, trailers, isSame }] = seen as [
      { headers: Record<string, string>; trailers: object; isSame: boolean }
    ]
    assert.ok(isSame)
    const form = ['content-type', 'upload-complete', 'upload-length', 'content-length', 'upload-offset', 'x-request-id']
    assert.deepEqual(
      [headers[':method'], headers[':path'], ...form.map((field) => headers[field])],
      [
        'POST',
        `${path}/uploads/an-upload_1`,
        'application/octet-stream',
        '?1',
        String(content.length),
        String(content.length),
        undefined,
        'r1'
      ]
    )
    assert.deepEqual(plain(trailers), { 'blobwire-oid': oid, 'repr-digest': `sha-256=:${sha256.toString('base64')}:` })
    assert.equal(counters.connections.opened, 0)
    assert.equal(counters.transferConnections.opened, 1)
  })
}

test('an upload goes on with PATCH at its offset; an oid that is known stands before the bytes', async (context) => {
  const seen: Record<string, unknown>[] = []
  const peer = await startPeer(context, async (stream, headers) => {
    const { body, trailers } = await received(stream)
    seen.push({ ...headers, bytes: body.length, trailers: Object.keys(trailers).length })
    stream.respond({ ':status': 201, 'content-type': 'application/json' })
    stream.end(JSON.stringify(done))
  })
  const { transport } = await openTransfers(context, 'json', peer.url)
  await transport.upload(uploadOf(content, { offset: 1000, oid }))
  await transport.upload(uploadOf(content, { offset: content.length, size: undefined }))
  const rest = content.length - 1000
  const form = [':method', 'content-type', 'upload-offset', 'upload-length', 'content-length', 'blobwire-oid']
  const facts = [...form, 'bytes', 'trailers']
  assert.deepEqual(
    seen.map((headers) => facts.map((field) => headers[field])),
    [
      ['PATCH', 'application/partial-upload', '1000', `${content.length}`, `${rest}`, oid, rest, 0],
      ['PATCH', 'application/partial-upload', `${content.length}`, undefined, undefined, undefined, 0, 2]
    ]
  )
})

test('a download is a GET; a range of it has a digest', async (context) => {
  const seen: Record<string, unknown>[] = []
  const peer = await startPeer(context, (stream, headers) => {
    seen.push(headers)
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(String(headers['range'] ?? '')) ?? []
    if (from === undefined) {
      stream.respond({ ':status': 200, etag: `"${oid}"`, 'content-length': content.length })
      return stream.end(content)
    }
    const end = to ? Number(to) + 1 : content.length
    const range = content.subarray(Number(from), end)
    const digest = createHash('sha256').update(range).digest('base64')
    const fields = { etag: `"${oid}"`, 'content-range': `bytes ${from}-${end - 1}/${content.length}` }
    stream.respond({ ':status': 206, ...fields, 'content-length': range.length }, { waitForTrailers: true })
    stream.once('wantTrailers', () => stream.sendTrailers({ 'content-digest': `sha-256=:${digest}:` }))
    stream.end(range)
  })
  const { transport } = await openTransfers(context, 'json', peer.url)
  const whole = await transport.download(downloadOf(oid))
  assert.deepEqual([whole.oid, whole.size], [oid, content.length])
  assert.ok((await collected(whole.chunks)).equals(content))
  assert.equal(whole.sha256, undefined)
  const part = await transport.download(
    downloadOf('', { revision: 'refs/heads/a', path: 'x/\xff #', offset: 5, length: 700_000, digestFrom: 3 })
  )
  const bytes = await collected(part.chunks)
  assert.ok(bytes.equals(content.subarray(5, 700_005)))
  assert.deepEqual(Buffer.from(part.sha256 ?? []), createHash('sha256').update(bytes).digest())
  const rest = await transport.download(downloadOf(oid, { offset: 1_000_000 }))
  assert.ok((await collected(rest.chunks)).equals(content.subarray(1_000_000)))
  const form = [':path', 'range', 'want-content-digest', 'blobwire-digest-from', 'accept-encoding']
  assert.deepEqual(
    seen.map((headers) => form.map((field) => headers[field])),
    [
      [`${path}/blobs/${oid}`, undefined, undefined, undefined, 'identity'],
      [`${path}/files/refs%2Fheads%2Fa/x/%FF%20%23`, 'bytes=5-700004', 'sha-256=1', '3', 'identity'],
      [`${path}/blobs/${oid}`, 'bytes=1000000-', 'sha-256=1', undefined, 'identity']
    ]
  )
})

/** An HTTP/1.1 server. */
async function startHttp1(context: TestContext, handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('over HTTP/1.1 a last request without bytes tells the digests', async (context) => {
  const seen: unknown[] = []
  const url = await startHttp1(context, async (request, response) => {
    const body = await collected(request)
    const { headers, method } = request
    const isLast = headers['upload-complete'] === '?1'
    seen.push([method, headers['upload-offset'], isLast, headers['blobwire-oid'], body.length])
    if (!isLast) return response.writeHead(204, { 'upload-complete': '?0' }).end()
    response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(done))
  })
  const { transport } = await openTransfers(context, 'msgpack', url)
  assert.equal((await transport.upload(uploadOf(content))).oid, oid)
  assert.equal((await transport.upload(uploadOf(content, { oid }))).oid, oid)
  const { length } = content
  assert.deepEqual(seen, [
    ['POST', undefined, false, undefined, length],
    ['PATCH', `${length}`, true, oid, 0],
    ['POST', undefined, true, oid, length]
  ])
})

test('a download over HTTP/1.1', async (context) => {
  const url = await startHttp1(context, (_request, response) => {
    response.writeHead(200, { etag: `"${oid}"`, 'content-length': content.length }).end(content)
  })
  const { transport } = await openTransfers(context, 'json', url)
  const { chunks } = await transport.download(downloadOf(oid))
  assert.ok((await collected(chunks)).equals(content))
})

interface UploadMessage {
  readonly offset: number
  readonly chunk?: Buffer
  readonly complete?: boolean
  readonly oid?: string
  readonly sha256?: Buffer
}

test('gRPC: an upload is a stream of chunks, the digests with the last message', async (context) => {
  const seen: UploadMessage[] = []
  const url = await startGrpcPeer(context, {
    upload(call, answer) {
      call.on('data', (message: UploadMessage) => seen.push(message))
      call.on('end', () => answer(null, done))
    }
  })
  const { transport, counters } = await openTransfers(context, 'grpc', url)
  const offset = 1000
  assert.deepEqual(
    { ...(await transport.upload(uploadOf(content, { offset, chunks: pieces(content.subarray(offset), 700_000) }))) },
    done
  )
  const [first, ...rest] = seen
  assert.deepEqual({ ...first }, { repository: 'demo/large', uploadId: 'an-upload_1', size: content.length, offset })
  assert.ok(Buffer.concat(rest.map(({ chunk }) => chunk ?? Buffer.alloc(0))).equals(content.subarray(offset)))
  assert.ok(rest.every(({ chunk }) => (chunk?.length ?? 0) <= 256 * 1024))
  let at = offset
  for (const message of rest) {
    assert.equal(message.offset, at)
    at += message.chunk?.length ?? 0
  }
  const last = rest.at(-1)
  assert.deepEqual([last?.complete, last?.oid, last?.sha256?.equals(sha256)], [true, oid, true])
  assert.deepEqual([counters.connections.opened, counters.transferConnections.opened], [0, 1])
})

test('gRPC: a download', async (context) => {
  const seen: object[] = []
  const url = await startGrpcPeer(context, {
    download(call) {
      const { offset = 0, length = content.length } = call.request as { offset?: number; length?: number }
      seen.push({ ...call.request })
      const range = content.subarray(offset, offset + length)
      call.write({ oid, size: content.length, offset })
      let at = offset
      for (let from = 0; from < range.length; from += 65536) {
        const chunk = range.subarray(from, from + 65536)
        call.write({ offset: at, chunk })
        at += chunk.length
      }
      call.write({ offset: at, sha256 })
      call.end()
    }
  })
  const { transport } = await openTransfers(context, 'grpc', url)
  const whole = await transport.download(downloadOf(oid))
  assert.deepEqual([whole.oid, whole.size], [oid, content.length])
  assert.ok((await collected(whole.chunks)).equals(content))
  assert.deepEqual(Buffer.from(whole.sha256 ?? []), sha256)
  const part = await transport.download(
    downloadOf('', { revision: 'main', path: 'a/\xc3\xbc', offset: 9, length: 99, digestFrom: 4 })
  )
  assert.ok((await collected(part.chunks)).equals(content.subarray(9, 108)))
  const repository = 'demo/large'
  assert.deepEqual(seen, [
    { repository, oid },
    { repository, revision: 'main', path: 'a/ü', offset: 9, length: 99, digestFrom: 4 }
  ])
})
