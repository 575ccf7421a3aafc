/** UploadBlob and DownloadBlob as streams, judged by clients of others: Connect's own and grpc-js. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { Code, type ConnectError, createClient, type Interceptor } from '@connectrpc/connect'
import { compressionGzip, createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node'
import { EnvelopeParser, encodeEnvelope } from '../../src/codec/envelope.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { decodeProtobuf } from '../../src/codec/protobuf.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { content, contentOid, http2Request, transferServer } from '../support/transfers.ts'
import { vcsService } from '../support/vcs-service.ts'

interface Transfers {
  uploadBlob(requests: AsyncIterable<object>): Promise<{ oid: string; complete: boolean; offset: bigint }>
  downloadBlob(request: object): AsyncIterable<{
    offset: bigint
    size: bigint
    oid: string
    chunk: Uint8Array
    sha256: Uint8Array
  }>
  queryUpload(request: object): Promise<{ offset: bigint; complete: boolean }>
}

const forms = [
  'Connect with defaults',
  'Connect with JSON over HTTP/1.1',
  'Connect with JSON and gzip',
  'gRPC',
  'gRPC with gzip'
] as const
const grants = [
  { token: 'writer', access: 'write' as const, repositories: ['*'] },
  { token: 'reader', access: 'read' as const, repositories: ['*'] }
]

/** A client of others, with the rights of a token. */
async function connectClient(context: TestContext, form: (typeof forms)[number]) {
  const { fixture } = await transferServer(context, { grants })
  const { http, grpc } = fixture.server
  const compression = form.endsWith('gzip')
    ? { sendCompression: compressionGzip, acceptCompression: [compressionGzip], compressMinBytes: 10 }
    : {}
  const httpVersion = form.endsWith('1.1') ? '1.1' : '2'
  const useBinaryFormat = !form.includes('JSON')
  const service = await vcsService()
  return (token: string): Transfers => {
    const authorize: Interceptor = (next) => (request) => {
      request.header.set('authorization', `Bearer ${token}`)
      return next(request)
    }
    const interceptors = [authorize]
    const transport = form.startsWith('gRPC')
      ? createGrpcTransport({ baseUrl: grpc, interceptors, ...compression })
      : createConnectTransport({ baseUrl: http, httpVersion, useBinaryFormat, interceptors, ...compression })
    return createClient(service, transport) as unknown as Transfers
  }
}

const chunkBytes = 50_000

/** The messages of an upload; `asked` counts those that the client has asked for. */
async function* messages(first: object, { from = 0, oid = contentOid, asked = { count: 0 }, complete = true } = {}) {
  yield { repository: 'demo', uploadId: 'an-upload', offset: BigInt(from), ...first }
  for (let offset = from; offset < content.length; offset += chunkBytes) {
    asked.count++
    const chunk = content.subarray(offset, offset + chunkBytes)
    const isLast = complete && offset + chunkBytes >= content.length
    yield { offset: BigInt(offset), chunk, complete: isLast, ...(isLast ? { oid } : {}) }
  }
}

const reasonOf = (error: unknown) => {
  const [detail] = (error as ConnectError).details as { value: Uint8Array }[]
  return decodeProtobuf('ErrorDetail', detail?.value ?? new Uint8Array(0)).reason
}

for (const form of forms) {
  test(`a blob goes up and comes down through an unmodified client: ${form}`, async (context) => {
    const client = (await connectClient(context, form))('writer')
    const size = BigInt(content.length)
    const stored = await client.uploadBlob(messages({ size }))
    assert.deepEqual([stored.oid, stored.complete, stored.offset], [contentOid, true, size])
    const read = async (request: object) => {
      const received: Uint8Array[] = []
      let digest = ''
      for await (const { chunk, sha256, oid, size: told } of client.downloadBlob({ repository: 'demo', ...request })) {
        if (oid !== '') assert.deepEqual([oid, told], [contentOid, size])
        received.push(chunk)
        digest += Buffer.from(sha256).toString('hex')
      }
      return { bytes: Buffer.concat(received), digest }
    }
    const whole = await read({ oid: contentOid })
    assert.ok(whole.bytes.equals(content))
    assert.equal(whole.digest, '')
    const part = await read({ oid: contentOid, offset: 5n, length: 100_000n, digestFrom: 2n })
    assert.ok(part.bytes.equals(content.subarray(5, 100_005)))
    assert.equal(part.digest, createHash('sha256').update(content.subarray(2, 100_005)).digest('hex'))
    await assert.rejects(read({ oid: 'ab'.repeat(20) }), { code: Code.NotFound })
    await assert.rejects(read({ oid: contentOid, offset: size + 1n }), { code: Code.OutOfRange })
  })

  test(`a refused stream says why, and what came is kept: ${form}`, async (context) => {
    const clientOf = await connectClient(context, form)
    const client = clientOf('writer')
    const asked = { count: 0 }
    await assert.rejects(clientOf('reader').uploadBlob(messages({}, { asked })), { code: Code.PermissionDenied })
    await assert.rejects(clientOf('nobody').uploadBlob(messages({})), { code: Code.Unauthenticated })
    const begun = await client.uploadBlob(messages({}, { complete: false }))
    assert.deepEqual([begun.complete, begun.offset], [false, BigInt(content.length)])
    await assert.rejects(client.uploadBlob(messages({}, { from: chunkBytes })), (error) => {
      assert.deepEqual([(error as ConnectError).code, reasonOf(error)], [Code.FailedPrecondition, 'upload_offset'])
      return true
    })
    const gap = async function* () {
      const offset = BigInt(content.length)
      yield { repository: 'demo', uploadId: 'an-upload', offset, chunk: Buffer.from('a') }
      yield { offset: offset + 2n, chunk: Buffer.from('c') }
    }
    await assert.rejects(client.uploadBlob(gap()), (error) => reasonOf(error) === 'upload_offset')
    const state = await client.queryUpload({ repository: 'demo', uploadId: 'an-upload' })
    assert.deepEqual([state.offset, state.complete], [BigInt(content.length) + 1n, false])
    const wrong = async function* () {
      yield { repository: 'demo', uploadId: 'an-upload', offset: state.offset, complete: true, oid: contentOid }
    }
    await assert.rejects(client.uploadBlob(wrong()), (error) => {
      assert.deepEqual([(error as ConnectError).code, reasonOf(error)], [Code.DataLoss, 'integrity'])
      return true
    })
    await assert.rejects(client.queryUpload({ repository: 'demo', uploadId: 'an-upload' }), { code: Code.NotFound })
    const nothing = async function* () {
      // Ends at once.
    }
    await assert.rejects(client.uploadBlob(nothing()), { code: Code.InvalidArgument })
  })
}

test('MessagePack: an upload is answered at its last message, and a download ends with its end-stream message', async (context) => {
  const { connectHttp2, fixture } = await transferServer(context)
  const session = connectHttp2()
  const open = (method: string) => {
    const type = { 'content-type': 'application/connect+msgpack' }
    return http2Request(session, { ':method': 'POST', ':path': `/${serviceName}/${method}`, ...type })
  }
  const upload = open('UploadBlob')
  const first = { repository: 'demo', uploadId: 'x', size: content.length, oid: contentOid }
  const message = msgpackCodec.encode('UploadBlobRequest', { ...first, chunk: content, complete: true })
  // The client does not end its side: the answer comes nevertheless.
  upload.stream.write(encodeEnvelope(0, message))
  const envelopes: { flags: number; payload: Uint8Array }[] = []
  const parser = new EnvelopeParser(1e6, (flags, payload) => envelopes.push({ flags, payload: Buffer.from(payload) }))
  await new Promise((resolve) => upload.stream.once('end', resolve))
  upload.stream.end()
  parser.push((await upload.answer).body)
  assert.deepEqual(
    envelopes.map(({ flags }) => flags),
    [0, 2]
  )
  const answer = msgpackCodec.decode('UploadBlobResponse', envelopes[0]?.payload ?? Buffer.alloc(0))
  assert.deepEqual(answer, { oid: contentOid, size: content.length, offset: content.length, complete: true })
  const download = open('DownloadBlob')
  const request = msgpackCodec.encode('DownloadBlobRequest', { repository: 'demo', oid: contentOid })
  download.stream.end(encodeEnvelope(0, request))
  envelopes.length = 0
  parser.push((await download.answer).body)
  const last = envelopes.pop()
  assert.deepEqual([last?.flags, String(last?.payload)], [2, '{}'])
  const chunks = envelopes.map(({ payload }) => msgpackCodec.decode('DownloadBlobResponse', payload))
  assert.ok(Buffer.concat(chunks.map(({ chunk }) => chunk)).equals(content))
  assert.deepEqual([chunks[0]?.oid, chunks[0]?.size], [contentOid, content.length])
  assert.equal(fixture.server.memory.heldBytes, 0)
})
