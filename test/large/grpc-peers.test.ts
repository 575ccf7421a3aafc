/** Clients of gRPC that stall, vanish, or send messages that others would not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeProtobuf } from '../../src/codec/protobuf.ts'
import { grpcMessage, rawCall, rawGrpc } from '../support/raw-grpc.ts'
import { slowServer } from '../support/transfers.ts'
import { until } from '../support/until.ts'

const mebibyte = 1024 * 1024

test('gRPC: an upload stops its client while the store waits, and is kept when the client goes', async (context) => {
  const { fixture, shut, seen, state, open } = await slowServer(context)
  const session = rawGrpc(fixture.server.grpc)
  context.after(() => session.destroy())
  shut()
  const { stream, closed } = rawCall(session, 'UploadBlob')
  const chunk = Buffer.alloc(mebibyte / 4)
  const message = (offset: number) =>
    grpcMessage(
      encodeProtobuf('UploadBlobRequest', { repository: 'demo', uploadId: 'x', offset, chunk, complete: false })
    )
  for (let offset = 0; offset < 64 * mebibyte; offset += chunk.length) stream.write(message(offset))
  await until(() => seen.bytes > 0, 'the first message has come')
  await until(() => fixture.server.memory.unread.bytes > mebibyte, 'the window is full')
  assert.ok(seen.bytes <= chunk.length, `${seen.bytes}`)
  assert.ok(fixture.server.memory.heldBytes < 2 * mebibyte, `${fixture.server.memory.heldBytes}`)
  stream.close(8)
  await closed
  open()
  await until(() => fixture.server.memory.heldBytes === 0, 'the transfer has ended')
  assert.deepEqual(await state('x'), { status: 204, offset: seen.bytes })
})

test('gRPC: a stream that ends within a message, and messages that have to be put together, within the budget', async (context) => {
  const { fixture, state } = await slowServer(context)
  const { memory } = fixture.server
  const session = rawGrpc(fixture.server.grpc)
  context.after(() => session.destroy())
  const chunk = Buffer.alloc(mebibyte)
  const message = (fields: object) =>
    grpcMessage(encodeProtobuf('UploadBlobRequest', { repository: 'demo', uploadId: 'y', chunk, ...fields }))
  const cut = rawCall(session, 'UploadBlob')
  cut.stream.end(message({}).subarray(0, mebibyte / 2))
  assert.equal(await cut.status, 3)
  const { offset = 0 } = await state('y')
  assert.ok(offset > 0 && offset < mebibyte / 2, `${offset}`)
  // A chunk that is not the last field waits for the end of its message.
  const before = memory.heldBytes
  const held = rawCall(session, 'UploadBlob')
  const whole = message({ offset, oid: 'ab'.repeat(20) })
  held.stream.write(whole.subarray(0, 1000))
  await until(() => memory.heldBytes > before + mebibyte, 'the message is charged')
  held.stream.close(8)
  await held.closed
  await until(() => memory.heldBytes === before, 'and released')
})
