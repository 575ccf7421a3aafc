/** The gRPC server as raw clients see it: limits, large errors, deadlines, and unknown methods. */
import assert from 'node:assert/strict'
import { connect } from 'node:http2'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import * as grpc from '@grpc/grpc-js'
import { loadProto } from '../../server-fixture/grpc/proto.ts'
import { decodeStatus } from '../../src/codec/protobuf.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { type TestServer, testServer } from '../support/server.ts'

interface Failure {
  readonly code: number
  readonly details: string
  readonly metadata: grpc.Metadata
}
type Unary = (
  request: object,
  metadata: grpc.Metadata,
  options: object,
  callback: (error: Failure | null, answer: object) => void
) => void

let fixture: TestServer
let client: grpc.Client
before(async () => {
  fixture = await testServer()
  const Client = grpc.makeClientConstructor(loadProto()[serviceName] as grpc.ServiceDefinition, serviceName)
  client = new Client(new URL(fixture.server.grpc).host, grpc.credentials.createInsecure())
  await call('createRepository', { repository: 'demo' })
})
after(async () => {
  client.close()
  await fixture[Symbol.asyncDispose]()
})

function call(method: string, request: object, options: object = {}): Promise<object> {
  const run = (client as unknown as Record<string, Unary>)[method] as Unary
  return new Promise((resolve, reject) => {
    run.call(client, request, new grpc.Metadata(), options, (error, answer) =>
      error ? reject(error) : resolve(answer)
    )
  })
}

async function failure(method: string, request: object, options: object = {}): Promise<Failure> {
  return call(method, request, options).then(
    () => assert.fail(`${method} succeeded`),
    (error) => error
  )
}

const detailOf = ({ metadata }: Failure) =>
  decodeStatus(metadata.get('grpc-status-details-bin')[0] as Buffer).detail ?? assert.fail('no detail')

const serves = () => call('getRepository', { repository: 'demo' })

test('an error that names 5,000 objects fits into headers, and the connection stays', async () => {
  const entries = Array.from({ length: 5000 }, (_, index) => ({
    path: `f${index}`,
    mode: '100644',
    oid: index.toString(16).padStart(40, '0').replace(/^0/, 'a')
  }))
  // Beside it on the same connection: a call that must not suffer.
  const [error] = await Promise.all([failure('storeTree', { repository: 'demo', entries }), serves()])
  assert.equal(error.code, grpc.status.FAILED_PRECONDITION)
  assert.match(error.details, /lacks 5000 object/)
  const { reason, missingOids } = detailOf(error)
  assert.equal(reason, 'missing_object')
  assert.ok(missingOids.length >= 50 && entries.some(({ oid }) => oid === missingOids.at(-1)), `${missingOids.length}`)
  const few = detailOf(await failure('storeTree', { repository: 'demo', entries: entries.slice(0, 3) }))
  assert.equal(few.missingOids.length, 3)
  await serves()
})

test('an error does not quote the whole request', async () => {
  const change = { path: 'x'.repeat(1_000_000), content: Buffer.from('a') }
  const request = {
    repository: 'demo',
    branch: 'main',
    changes: [change, change],
    author: { name: 'A', email: 'a@b' },
    message: 'm'
  }
  const error = await failure('commitFiles', request)
  assert.equal(error.code, grpc.status.INVALID_ARGUMENT)
  assert.ok(error.details.length < 1500, `${error.details.length}`)
  await serves()
})

test('a message over the limit, and a gzip bomb, are resource_exhausted', async () => {
  const large = await failure('storeBlob', { repository: 'demo', content: Buffer.alloc(5 * 1024 * 1024) })
  assert.equal(large.code, grpc.status.RESOURCE_EXHAUSTED)
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
  const frame = Buffer.alloc(5)
  frame[0] = 1
  frame.writeUInt32BE(bomb.length, 1)
  const session = connect(fixture.server.grpc)
  const stream = session.request({
    ':method': 'POST',
    ':path': `/${serviceName}/StoreBlob`,
    'content-type': 'application/grpc',
    'grpc-encoding': 'gzip',
    te: 'trailers'
  })
  const status = new Promise((resolve, reject) => {
    stream.once('response', (headers) => headers['grpc-status'] && resolve(headers['grpc-status']))
    stream.once('trailers', (trailers) => resolve(trailers['grpc-status']))
    stream.once('error', reject)
  })
  stream.resume()
  stream.end(Buffer.concat([frame, bomb]))
  assert.equal(await status, String(grpc.status.RESOURCE_EXHAUSTED))
  session.close()
  await serves()
})

test('limits of the service are told with their name', async () => {
  const error = await failure('storeBlob', { repository: 'demo', content: Buffer.alloc(1024 * 1024 + 1) })
  assert.equal(error.code, grpc.status.RESOURCE_EXHAUSTED)
  assert.deepEqual(detailOf(error).limit, { limit: 'max_inline_bytes', maximum: 1048576, actual: 1048577 })
})

test('a stream that is refused tells why; a deadline that has passed ends the call', async () => {
  const late = await failure('getRepository', { repository: 'demo' }, { deadline: Date.now() - 1 })
  assert.equal(late.code, grpc.status.DEADLINE_EXCEEDED)
  assert.equal((await failure('queryUpload', { repository: 'demo', uploadId: 'x' })).code, grpc.status.NOT_FOUND)
  const { downloadBlob } = client as unknown as Record<string, (request: object) => grpc.ClientReadableStream<object>>
  const stream = downloadBlob?.call(client, {}) ?? assert.fail('no downloadBlob')
  const error = await new Promise<Failure>((resolve) =>
    stream.once('error', (found) => resolve(found as Failure & Error))
  )
  assert.equal(error.code, grpc.status.INVALID_ARGUMENT)
  await serves()
})
