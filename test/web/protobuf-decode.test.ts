/** The small reader of protobuf that other runtimes than Node have for the details of errors, held against the complete one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeProtobuf, encodeProtobuf } from '../../src/codec/protobuf.ts'
import { messageOf } from '../properties/messages.ts'
import { importWeb } from '../support/web-graph.ts'

const web = await importWeb<typeof import('../../src/codec/protobuf-decode.ts')>('codec/protobuf-decode.ts')

test('details of errors are read as by the complete reader', () => {
  const check = fc.property(messageOf('ErrorDetail'), ({ type, message }) => {
    const bytes = encodeProtobuf(type, message)
    assert.deepEqual(web.decodeProtobuf('ErrorDetail', bytes), decodeProtobuf('ErrorDetail', bytes))
  })
  fc.assert(check, { numRuns: 100 })
})

test('fields that nobody knows are skipped, and what is cut off is refused', () => {
  const known = encodeProtobuf('ErrorDetail', { reason: 'object', retryAfterMs: 300 })
  const unknown = Uint8Array.of(0x98, 6, 1, 0x99, 6, ...new Uint8Array(8).fill(10), 0x9d, 6, 0, 0, 0, 0, 0x9a, 6, 1, 7)
  const bytes = Uint8Array.of(...unknown, ...known)
  assert.deepEqual(web.decodeProtobuf('ErrorDetail', bytes), decodeProtobuf('ErrorDetail', known))
  for (const length of [known.length - 1, 1, 4]) {
    assert.throws(() => web.decodeProtobuf('ErrorDetail', known.subarray(0, length)), { reason: 'malformed' })
  }
})
