/** gRPC and gRPC-Web on the HTTP port, judged by unmodified clients: connect-node and grpc-js. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { constants } from 'node:http2'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { DescService } from '@bufbuild/protobuf'
import { Code, ConnectError, createClient, type Interceptor, type Transport } from '@connectrpc/connect'
import { compressionGzip, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node'
import { textExchange } from '../../server-fixture/grpc-http/text-exchange.ts'
import type { Exchange } from '../../server-fixture/http/exchange.ts'
import { decodeProtobuf } from '../../src/codec/protobuf.ts'
import { rawCall, rawGrpc } from '../support/raw-grpc.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'
import { vcsService } from '../support/vcs-service.ts'

/** Of a page, as browsers tell it. */
const origin = 'https://page.example'
let fixture: TestServer
let service: DescService
before(async () => {
  service = await vcsService()
  const grants = [{ token: 'good', access: 'write', repositories: ['*'] }] as const
  // The bounds of the server itself are far away, so that only those of calls end them.
  fixture = await testServer({ grants, cors: { origins: [origin] }, bodyTimeoutMs: 3_600_000 })
})
after(() => fixture[Symbol.asyncDispose]())

// biome-ignore lint/suspicious/noExplicitAny: messages of a foreign client, read by name
type Message = any

const authorize: Interceptor = (next) => (request) => {
  request.header.set('authorization', 'Bearer good')
  request.header.set('origin', origin)
  return next(request)
}
const gzip = { sendCompression: compressionGzip, acceptCompression: [compressionGzip], compressMinBytes: 10 }
const interceptors = [authorize]
type Make = (baseUrl: string) => Transport
const forms: Readonly<Record<string, Make>> = {
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl, interceptors }),
  'gRPC with gzip': (baseUrl) => createGrpcTransport({ baseUrl, interceptors, ...gzip }),
  'gRPC-Web over HTTP/2': (baseUrl) => createGrpcWebTransport({ baseUrl, interceptors, httpVersion: '2' }),
  'gRPC-Web over HTTP/1.1': (baseUrl) => createGrpcWebTransport({ baseUrl, interceptors, httpVersion: '1.1' }),
  'gRPC-Web with JSON and gzip': (baseUrl) =>
    createGrpcWebTransport({ baseUrl, interceptors, httpVersion: '1.1', useBinaryFormat: false, ...gzip })
}

const content = Buffer.alloc(300_000, 'some content that compresses ')
const contentOid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')

for (const [name, make] of Object.entries(forms)) {
  test(`unary calls, uploads, downloads and watches of an unmodified client: ${name}`, async () => {
    const client = createClient(service, make(fixture.server.http)) as Message
    const repository = `demo-${name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')}`
    await client.createRepository({ repository })
    const stored = await client.storeBlob({ repository, content })
    assert.deepEqual([stored.oid, stored.size], [contentOid, 300_000n])
    const found = await client.getBlob({ repository, oid: contentOid })
    assert.ok(content.equals(found.content))

    const update = { name: 'refs/tags/ü', expectedOid: 'ab'.repeat(20), newOid: contentOid }
    const failure = await client.updateRefs({ repository, updates: [update] }).catch((error: unknown) => error)
    assert.ok(failure instanceof ConnectError)
    assert.equal(failure.code, Code.Aborted)
    assert.match(failure.rawMessage, /refs\/tags\/ü/)
    const [detail] = failure.details as { type: string; value: Uint8Array }[]
    assert.equal(decodeProtobuf('ErrorDetail', detail?.value ?? new Uint8Array(0)).reason, 'ref_mismatch')
    await assert.rejects(client.getBlob({ repository, oid: 'ab'.repeat(20) }), { code: Code.NotFound })

    async function* messages() {
      yield { repository, uploadId: 'one', offset: 0n }
      yield { chunk: content.subarray(0, 200_000), offset: 0n }
      yield { chunk: content.subarray(200_000), offset: 200_000n, complete: true, oid: contentOid }
    }
    assert.deepEqual((await client.uploadBlob(messages())).oid, contentOid)
    const chunks: Uint8Array[] = []
    for await (const { chunk } of client.downloadBlob({ repository, oid: contentOid })) chunks.push(chunk)
    assert.ok(content.equals(Buffer.concat(chunks)))
    const absent = client.downloadBlob({ repository, oid: 'ab'.repeat(20) })[Symbol.asyncIterator]()
    await assert.rejects(absent.next(), { code: Code.NotFound })

    const leaving = new AbortController()
    const watch = client.watchRefs({ repository }, { signal: leaving.signal })[Symbol.asyncIterator]()
    await watch.next()
    const newOid = contentOid
    await client.updateRefs({ repository, updates: [{ name: 'refs/tags/x', expectedOid: '0'.repeat(40), newOid }] })
    for (let moved = false; !moved; ) {
      const { value } = await watch.next()
      moved = value.events.some(({ moves }: Message) => moves[0].name === 'refs/tags/x')
    }
    leaving.abort()
  })
}

for (const name of ['gRPC', 'gRPC-Web over HTTP/2']) {
  test(`a session of an unmodified client: ${name}`, async () => {
    const client = createClient(service, (forms[name] as Make)(fixture.server.http)) as Message
    const repository = `session-${name
      .toLowerCase()
      .slice(0, 8)
      .replaceAll(/[^a-z]/g, '-')}`
    await client.createRepository({ repository })
    let end = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    async function* frames() {
      const operation = { case: 'storeBlob', value: { content } }
      yield { frame: { case: 'batch', value: { repository, firstId: 1n, operations: [{ operation }] } } }
      await ended
    }
    const answers = client.session(frames())[Symbol.asyncIterator]()
    assert.deepEqual((await answers.next()).value.results, [])
    const { value } = await answers.next()
    assert.equal(value.results[0].result.result.value.oid, contentOid)
    end()
    assert.equal((await answers.next()).done, true)
  })
}

/** A message in its envelope. */
function envelope(payload: Uint8Array, flags = 0): Buffer {
  const prefix = Buffer.of(flags, 0, 0, 0, 0)
  prefix.writeUInt32BE(payload.length, 1)
  return Buffer.concat([prefix, payload])
}

const json = (message: object) => envelope(Buffer.from(JSON.stringify(message)))

interface Answer {
  readonly headers: Headers
  readonly messages: Buffer[]
  readonly trailers: Readonly<Record<string, string>>
}

/** A request of gRPC-Web as browsers make it. */
async function ask(method: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${fixture.server.http}/blobwire.v1.VcsService/${method}`, {
    method: 'POST',
    headers: { authorization: 'Bearer good', 'content-type': 'application/grpc-web+json', origin, ...headers },
    body
  })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('access-control-allow-origin'), origin)
  const isText = response.headers.get('content-type')?.startsWith('application/grpc-web-text')
  const received = Buffer.from(await response.arrayBuffer())
  const bytes = isText
    ? Buffer.concat((received.toString('latin1').match(/[^=]+=*/g) ?? []).map((part) => Buffer.from(part, 'base64')))
    : received
  const messages: Buffer[] = []
  let trailers: Record<string, string> = {}
  for (let at = 0; at < bytes.length; ) {
    const payload = bytes.subarray(at + 5, at + 5 + bytes.readUInt32BE(at + 1))
    if (bytes[at] === 0x80) {
      const lines = payload.toString('latin1').split('\r\n').filter(Boolean)
      trailers = Object.fromEntries(lines.map((line) => line.split(': ', 2)))
    } else messages.push(payload)
    at += 5 + payload.length
  }
  return { headers: response.headers, messages, trailers }
}

const statusOf = async (...request: Parameters<typeof ask>) => Number((await ask(...request)).trailers['grpc-status'])

test('gRPC-Web as text, padded wherever the sender pleased; unary calls and downloads', async () => {
  const type = { 'content-type': 'application/grpc-web-text+json' }
  const bytes = json({ repository: 'as-text' })
  const parts = [bytes.subarray(0, 4), bytes.subarray(4, 11), bytes.subarray(11)]
  const body = parts.map((part) => part.toString('base64')).join('')
  const created = await ask('CreateRepository', body, type)
  assert.deepEqual([created.trailers['grpc-status'], created.messages.length], ['0', 1])
  assert.equal(created.trailers['x-request-id'], created.headers.get('x-request-id'), 'whole')
  assert.match(created.headers.get('content-type') ?? '', /^application\/grpc-web-text\+json$/)
  const stored = json({ repository: 'as-text', content: content.toString('base64') }).toString('base64')
  assert.equal(await statusOf('StoreBlob', stored, type), 0)
  const wanted = json({ repository: 'as-text', oid: contentOid }).toString('base64')
  const { messages, trailers } = await ask('DownloadBlob', wanted, type)
  const chunks = messages.map((message) => Buffer.from(JSON.parse(message.toString()).chunk ?? '', 'base64'))
  assert.ok(content.equals(Buffer.concat(chunks)))
  assert.equal(trailers['grpc-status'], '0')
  for (const damaged of ['AAA', `${wanted.slice(0, 8)}####${wanted.slice(8)}`, wanted.slice(0, -4)]) {
    assert.equal(await statusOf('DownloadBlob', damaged, type), Code.InvalidArgument, damaged)
    assert.equal(await statusOf('GetBlob', damaged, type), Code.InvalidArgument, damaged)
  }
})

test('a long body of text that is refused does not end its connection', async (context) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  context.after(() => agent.destroy())
  const refused = json({ repository: 'no such name!' })
  const chunk = json({ chunk: Buffer.alloc(1_000_000).toString('base64') })
  const text = Buffer.concat([refused, chunk]).toString('base64')
  for (const isReused of [false, true]) {
    const sent = request(`${fixture.server.http}/blobwire.v1.VcsService/UploadBlob`, {
      agent,
      method: 'POST',
      headers: { authorization: 'Bearer good', 'content-type': 'application/grpc-web-text+json' }
    }).end(text)
    const [answer] = await once(sent, 'response')
    await once(answer.resume(), 'end')
    assert.equal(sent.reusedSocket, isReused)
  }
})

test('text that waits for the store counts as unread', async () => {
  const body = new Readable({ highWaterMark: 1_000_000, read: () => undefined })
  body.push(Buffer.alloc(900_000, 'AAAA'))
  const text = textExchange({ openBody: () => body } as unknown as Exchange).openBody()
  await once(text, 'readable')
  body.push(Buffer.alloc(900_000, 'AAAA'))
  await setTimeout(0)
  assert.ok(text.readableLength >= 900_000)
})

test('a client of text that leaves its watch is no error of its connection', async (context) => {
  const events: unknown[] = []
  const { server, client } = atEnd(context, await testServer({ log: (event) => void events.push(event) }))
  await client().createRepository('demo')
  const connection = rawGrpc(server.http)
  const { stream, closed } = rawCall(connection, 'WatchRefs', { 'content-type': 'application/grpc-web-text+json' })
  stream.end(json({ repository: 'demo' }).toString('base64'))
  await once(stream, 'data')
  stream.close(constants.NGHTTP2_CANCEL)
  await closed
  while (server.metrics.snapshot().transports.grpc.streams > 0) await setTimeout(5)
  connection.destroy()
  assert.deepEqual(events, [])
})

test('requests that are no call of gRPC are refused with a status of gRPC', async () => {
  const request = json({ repository: 'demo' })
  const gzip = { 'grpc-encoding': 'gzip' }
  assert.equal(await statusOf('Nothing', request), Code.Unimplemented)
  assert.equal(await statusOf('GetRepository', request, { authorization: 'Bearer bad' }), Code.Unauthenticated)
  assert.equal(await statusOf('WatchRefs', request, { authorization: 'Bearer bad' }), Code.Unauthenticated)
  assert.equal(await statusOf('GetRepository', Buffer.concat([request, request])), Code.Unimplemented)
  const cutOff = Buffer.from(request).fill(request.length, 4, 5)
  assert.equal(await statusOf('GetRepository', cutOff), Code.InvalidArgument)
  assert.equal(await statusOf('GetRepository', ''), Code.InvalidArgument)
  assert.equal(await statusOf('GetRepository', envelope(Buffer.from('{}'), 4)), Code.InvalidArgument)
  assert.equal(await statusOf('GetRepository', envelope(Buffer.from('{}'), 1)), Code.Internal)
  assert.equal(await statusOf('GetRepository', envelope(Buffer.from('{}'), 1), gzip), Code.InvalidArgument)
  const emptyProto = { ...gzip, 'content-type': 'application/grpc-web' }
  assert.equal(await statusOf('GetCapabilities', envelope(Buffer.alloc(0), 1), emptyProto), 0)
  const { trailers, headers } = await ask('GetRepository', request, { 'grpc-encoding': 'br' })
  assert.equal(Number(trailers['grpc-status']), Code.Unimplemented)
  assert.equal(headers.get('grpc-accept-encoding'), 'zstd, gzip, deflate')
  assert.equal(await statusOf('GetRepository', request, { 'grpc-timeout': '1 s' }), Code.InvalidArgument)
  assert.equal(await statusOf('Session', request), Code.Unimplemented, 'HTTP/1.1')
  const tooLong = Buffer.of(0, 0x7f, 0xff, 0xff, 0xff)
  assert.equal(await statusOf('StoreBlob', tooLong), Code.ResourceExhausted)
  const { status } = await fetch(`${fixture.server.http}/blobwire.v1.VcsService/GetRepository`, {
    headers: { 'content-type': 'application/grpc-web' }
  })
  assert.equal(status, 405)
})

test('the message of an error is percent-encoded, as headers want it', async () => {
  await ask('CreateRepository', json({ repository: 'messages' }))
  const update = { name: 'refs/tags/100%-ü-😀', expectedOid: 'ab'.repeat(20), newOid: '0'.repeat(40) }
  const { trailers } = await ask('UpdateRefs', json({ repository: 'messages', updates: [update] }))
  const message = trailers['grpc-message'] ?? ''
  assert.match(message, /^[ -$&-~]*%[ -~]*$/)
  assert.match(decodeURIComponent(message), /refs\/tags\/100%-ü-😀/)
})

test('a deadline of gRPC ends a call and a stream', async () => {
  const request = json({ repository: 'session-grpc' })
  const connection = rawGrpc(fixture.server.http)
  for (const method of ['GetRepository', 'UploadBlob', 'Session']) {
    const unfinished = rawCall(connection, method, { authorization: 'Bearer good', 'grpc-timeout': '20000u' })
    assert.equal(await unfinished.status, Code.DeadlineExceeded, method)
  }
  const health = rawCall(connection, '/grpc.health.v1.Health/Watch', { 'grpc-timeout': '20m' })
  health.stream.end(envelope(Buffer.alloc(0)))
  assert.equal(await health.status, Code.DeadlineExceeded)
  connection.destroy()
  const { trailers, messages } = await ask('WatchRefs', request, { 'grpc-timeout': '30m' })
  assert.equal(Number(trailers['grpc-status']), Code.DeadlineExceeded)
  assert.ok(messages.length > 0)
})
