/** Callers are refused by their headers: nothing of a request is read, decompressed or decoded before. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { decodeTurns } from '../../server-fixture/decode-turns.ts'
import { decodeStatus } from '../../src/codec/protobuf.ts'
import type { MessageName } from '../../src/schema/descriptor.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { emptyOperations, grpcMessage, rawCall, rawGrpc } from '../support/raw-grpc.ts'
import { atEnd, testServer } from '../support/server.ts'

const token = 'Sup3rS3cretT0ken'
const grants = [{ token, access: 'write', repositories: ['*'] }] as const
const authorization = `Bearer ${token}`

async function grpcServer(context: TestContext) {
  const fixture = atEnd(context, await testServer({ grants }))
  const session = rawGrpc(fixture.server.grpc)
  context.after(() => session.close())
  return { fixture, session }
}

/** Counts the messages of a type that are decoded, in this process. */
function countDecoded(counted: MessageName): { count: number } {
  const decode = decodeTurns.decode.bind(decodeTurns)
  const decoded = { count: 0 }
  decodeTurns.decode = (reader, type, bytes) => {
    if (type === counted) decoded.count++
    return decode(reader, type, bytes)
  }
  return decoded
}

const batches = countDecoded('BatchOperationsRequest')
const frames = countDecoded('SessionRequest')

const gzip = { 'grpc-encoding': 'gzip' }
const bomb = grpcMessage(emptyOperations(1_000_000), true)

test('gRPC: 4 KB of a million operations without a token are refused by their metadata', {
  timeout: 20_000
}, async (context) => {
  const { fixture, session } = await grpcServer(context)
  assert.ok(bomb.length < 5000)
  for (const path of ['BatchOperations', 'Session']) {
    // Without a body: the answer does not wait for one.
    assert.equal(await rawCall(session, path).status, status.UNAUTHENTICATED, path)
    const call = rawCall(session, path, gzip)
    call.stream.end(bomb)
    assert.equal(await call.status, status.UNAUTHENTICATED, path)
    const { detail } = decodeStatus(Buffer.from(String(call.answer['grpc-status-details-bin']), 'base64'))
    assert.equal(detail?.reason, 'no_token')
    const wrong = rawCall(session, path, { ...gzip, authorization: 'Bearer wrong' })
    wrong.stream.end(bomb)
    assert.equal(await wrong.status, status.UNAUTHENTICATED, path)
  }
  assert.deepEqual([batches.count, frames.count], [0, 0])
  // Nothing of the bodies was held, either.
  assert.deepEqual([fixture.server.memory.heldBytes, fixture.server.memory.peakBytes], [0, 0])
  const known = rawCall(session, 'BatchOperations', { authorization })
  known.stream.end(grpcMessage(emptyOperations(1)))
  assert.equal(await known.status, status.NOT_FOUND)
  assert.equal(batches.count, 1)
})

test('gRPC: methods of which the caller is not known read messages of 4 KiB at most', {
  timeout: 20_000
}, async (context) => {
  const { session } = await grpcServer(context)
  const reflection = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'
  for (const path of ['GetCapabilities', '/grpc.health.v1.Health/Check', '/grpc.health.v1.Health/Watch', reflection]) {
    // It announces a megabyte, sends a part of it, and would go on.
    const large = rawCall(session, path)
    large.stream.write(grpcMessage(Buffer.alloc(1 << 20)).subarray(0, 6000))
    assert.equal(await large.status, status.RESOURCE_EXHAUSTED, path)
    large.stream.close()
    const inflating = rawCall(session, path, gzip)
    inflating.stream.end(grpcMessage(Buffer.alloc(1 << 20), true))
    assert.ok([status.RESOURCE_EXHAUSTED, status.INTERNAL].includes((await inflating.status) ?? 0), path)
  }
  for (const path of ['GetCapabilities', '/grpc.health.v1.Health/Check']) {
    const call = rawCall(session, path, gzip)
    call.stream.end(grpcMessage(Buffer.alloc(0), true))
    assert.equal(await call.status, status.OK, path)
  }
})

test('gRPC: messages are decompressed as they say, and only as they say', async (context) => {
  const { session } = await grpcServer(context)
  const statusOf = async (message: Uint8Array, headers: Record<string, string>) => {
    const call = rawCall(session, 'BatchOperations', { authorization, ...headers })
    call.stream.end(message)
    return call.status
  }
  const one = emptyOperations(1)
  assert.equal(await statusOf(grpcMessage(one, true), gzip), status.NOT_FOUND)
  // The header allows compression, the flag of a message tells it.
  assert.equal(await statusOf(grpcMessage(one), gzip), status.NOT_FOUND)
  assert.equal(await statusOf(grpcMessage(one, true), {}), status.INTERNAL)
  assert.equal(await statusOf(grpcMessage(one), { 'grpc-encoding': 'snappy' }), status.UNIMPLEMENTED)
  const damaged = grpcMessage(one, true)
  damaged.fill(0xff, 20)
  assert.equal(await statusOf(damaged, gzip), status.INVALID_ARGUMENT)
  assert.equal(await statusOf(grpcMessage(Buffer.alloc(8, 0xff)), {}), status.INVALID_ARGUMENT)
  const { deflateSync } = await import('node:zlib')
  const deflated = grpcMessage(deflateSync(one))
  deflated[0] = 1
  assert.equal(await statusOf(deflated, { 'grpc-encoding': 'deflate' }), status.NOT_FOUND)
})

test('HTTP: a caller without a token is refused before the body comes', async (context) => {
  const { server } = atEnd(context, await testServer({ grants }))
  const session = rawGrpc(server.http)
  context.after(() => session.close())
  const statusOf = (path: string, type: string) =>
    new Promise<number>((resolve) => {
      const fields = { ':method': 'POST', ':path': `/${serviceName}/${path}`, 'content-type': type }
      const stream = session.request(fields)
      stream.on('error', () => undefined)
      stream.once('response', (headers) => {
        resolve(Number(headers[':status']))
        stream.close()
      })
    })
  assert.equal(await statusOf('BatchOperations', 'application/json'), 401)
  assert.equal(await statusOf('Session', 'application/connect+json'), 401)
  const blob = await fetch(`${server.http}/v1/repositories/demo/blobs/${'a'.repeat(40)}`)
  assert.equal(blob.status, 401)
  const large = await fetch(`${server.http}/${serviceName}/GetCapabilities`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: ' '.repeat(5000)
  })
  assert.equal(large.status, 429)
  assert.deepEqual([server.memory.heldBytes, server.memory.peakBytes], [0, 0])
})
