/** Messages of DownloadBlob that are wrong, too few or too many: each is a typed error, and none passes for a blob. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http2'
import { test } from 'node:test'
import { Metadata } from '@grpc/grpc-js'
import { blobOid } from '../../src/index.ts'
import type { DownloadAttempt } from '../../src/transport/transfer.ts'
import { startPeer } from '../support/http2-peer.ts'
import { downloadFailure, downloadOf, openTransfers, startGrpcPeer, uploadOf } from '../support/transfer-peer.ts'
import { until } from '../support/until.ts'

const content = randomBytes(300_000)
const oid = blobOid(content)
const { length } = content
const other = 'ab'.repeat(20)
const range = { offset: 10, length: 10 }

interface GrpcCase {
  readonly name: string
  readonly messages: readonly object[]
  readonly attempt?: Partial<DownloadAttempt>
  readonly code: string
  readonly reason?: string
}

const first = { oid, size: length, offset: 0 }
const all = { offset: 0, chunk: content }

const grpcCases: readonly GrpcCase[] = [
  { name: 'nothing', messages: [], code: 'internal', reason: 'malformed_response' },
  { name: 'no oid', messages: [{ size: length }, all], code: 'internal', reason: 'malformed_response' },
  { name: 'another blob', messages: [{ ...first, oid: other }, all], code: 'data_loss', reason: 'integrity' },
  { name: 'another offset', messages: [first, all], attempt: range, code: 'internal', reason: 'malformed_response' },
  {
    name: 'a gap',
    messages: [first, { offset: 1, chunk: content.subarray(1) }],
    code: 'internal',
    reason: 'malformed_response'
  },
  { name: 'a chunk twice', messages: [first, all, all], code: 'internal', reason: 'malformed_response' },
  { name: 'fewer bytes', messages: [first, { offset: 0, chunk: content.subarray(1) }], code: 'unavailable' },
  {
    name: 'more bytes',
    messages: [first, all, { offset: length, chunk: Buffer.of(1) }],
    code: 'internal',
    reason: 'malformed_response'
  },
  {
    name: 'less than the offset',
    messages: [{ oid, size: 5, offset: 10 }],
    attempt: range,
    code: 'data_loss',
    reason: 'integrity'
  }
]

for (const { name, messages, attempt, code, reason = '' } of grpcCases) {
  test(`gRPC: ${name}`, async (context) => {
    const url = await startGrpcPeer(context, {
      download(call) {
        for (const message of messages) call.write(message as Record<string, unknown>)
        call.end()
      }
    })
    const way = await openTransfers(context, 'grpc', url)
    const error = await downloadFailure(way, downloadOf(oid, attempt))
    assert.deepEqual([error.code, error.reason, error.transport], [code, reason, 'grpc'], String(error))
    assert.equal(way.counters.transferConnections.streams, 0)
  })
}

test('gRPC: an error in the middle, and a refusal', async (context) => {
  const url = await startGrpcPeer(context, {
    download(call) {
      call.write(first)
      call.write({ offset: 0, chunk: content.subarray(0, 1000) })
      call.emit('error', { code: 14, details: 'going away' })
    },
    upload: (call, answer) => {
      call.resume()
      answer({ code: 7, details: 'not you' })
    }
  })
  const way = await openTransfers(context, 'grpc', url)
  const down = await downloadFailure(way, downloadOf(oid))
  assert.deepEqual([down.code, down.retryable], ['unavailable', true])
  const up = await way.transport.upload(uploadOf(content)).catch((error) => error)
  assert.deepEqual([up.code, up.transport, up.attempts], ['permission_denied', 'grpc', 1])
})

test('gRPC: an upload goes on when the headers of the answer come early', async (context) => {
  const seen: Buffer[] = []
  const url = await startGrpcPeer(context, {
    upload(call, answer) {
      call.sendMetadata(new Metadata())
      call.on('data', ({ chunk = Buffer.alloc(0) }) => seen.push(chunk))
      call.on('end', () => answer(null, { oid, size: length, offset: length, complete: true }))
    }
  })
  const { transport } = await openTransfers(context, 'grpc', url)
  async function* slow() {
    yield content.subarray(0, 1000)
    await until(() => seen.length > 1, 'the first chunk has come')
    await new Promise((resolve) => setTimeout(resolve, 50))
    yield content.subarray(1000)
  }
  const { complete } = await transport.upload(uploadOf(content, { chunks: slow() }))
  assert.equal(complete, true)
  assert.ok(Buffer.concat(seen).equals(content))
})

test('gRPC: answers of others than gRPC servers, and ends without a status', async (context) => {
  const grpc = { ':status': 200, 'content-type': 'application/grpc' }
  const cases: [OutgoingHttpHeaders, string, string][] = [
    [{ ':status': 404 }, 'unimplemented', ''],
    [{ ':status': 302, location: '/' }, 'failed_precondition', 'redirect_refused'],
    [{ ':status': 503 }, 'unavailable', ''],
    [{ ':status': 200, 'content-type': 'text/html' }, 'internal', 'malformed_response'],
    [grpc, 'unavailable', ''],
    [{ ...grpc, 'grpc-status': '8', 'grpc-message': 'no%20room' }, 'resource_exhausted', '']
  ]
  let answer: OutgoingHttpHeaders = grpc
  const peer = await startPeer(context, (stream) => {
    stream.resume()
    stream.respond(answer)
    stream.end()
  })
  const way = await openTransfers(context, 'grpc', peer.url)
  for (const [headers, code, reason] of cases) {
    answer = headers
    const error = await downloadFailure(way, downloadOf(oid))
    assert.deepEqual([error.code, error.reason], [code, reason], String(error))
    if (code === 'resource_exhausted') assert.equal(error.message, 'no room')
  }
  assert.equal(way.counters.transferConnections.streams, 0)
})
