/** Messages with chunks, in every cutting, against what protobuf.js reads of them whole. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ChunkMessages } from '../../src/codec/chunk-messages.ts'
import { encodeEnvelope } from '../../src/codec/envelope.ts'
import { decodeProtobuf, encodeProtobuf } from '../../src/codec/protobuf.ts'
import { protobufCodec } from '../../src/codec/protobuf-codec.ts'
import { encodeProtobufHead } from '../../src/codec/protobuf-tail.ts'
import type { BlobwireError } from '../../src/index.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { randomNumbers } from '../support/random.ts'

type Request = Messages['UploadBlobRequest']

const random = randomNumbers(11)
const bytesOf = (length: number) => Buffer.from(Array.from({ length }, () => random(256)))
const chunk = bytesOf(50_000)

/** A message whose chunk comes last, and one whose fields come in the order of their numbers. */
function chunkLast(fields: Partial<Request>): Buffer {
  const { chunk: content = Buffer.alloc(0), ...others } = fields
  const last = { field: 'chunk', length: content.length } as const
  return Buffer.concat([encodeProtobufHead('UploadBlobRequest', others, last), content])
}
const inOrder = (fields: Partial<Request>) => Buffer.from(encodeProtobuf('UploadBlobRequest', fields))

interface Read {
  readonly parts: Request[]
  readonly reader: ChunkMessages<'UploadBlobRequest'>
}

function read(bytes: Uint8Array, sizeOf: () => number, maxBytes = 1 << 20): Read {
  const parts: Request[] = []
  const reader = new ChunkMessages({
    type: 'UploadBlobRequest',
    maxBytes,
    receive: (message) => parts.push({ ...message, chunk: Buffer.from(message.chunk) }),
    receiveWhole: (flags, payload) => {
      assert.equal(flags & ~1, 0)
      if (flags === 1) parts.push(decodeProtobuf('UploadBlobRequest', inOrder({ uploadId: `gzip ${payload.length}` })))
      else parts.push(decodeProtobuf('UploadBlobRequest', Buffer.from(payload)))
    }
  })
  for (let at = 0; at < bytes.length; ) {
    const piece = Buffer.from(bytes.subarray(at, at + sizeOf()))
    reader.push(piece)
    at += piece.length
    // A view that is kept too long would be seen to change.
    piece.fill(0xee)
  }
  return { parts, reader }
}

/** What the parts say: the content by its offset, the other fields once, and `complete` with the last byte alone. */
function sumOf(parts: readonly Request[]) {
  const content: Buffer[] = []
  const names: string[] = []
  let offset = parts[0]?.offset ?? 0
  let completeAt: number | undefined
  for (const part of parts) {
    if (part.uploadId.startsWith('gzip')) {
      names.push(part.uploadId)
      continue
    }
    assert.equal(part.offset, offset)
    assert.equal(completeAt, undefined)
    offset += part.chunk.length
    content.push(Buffer.from(part.chunk))
    names.push(...[part.repository, part.uploadId, part.oid].filter((name) => name !== ''))
    if (part.complete) completeAt = offset
  }
  return { content: Buffer.concat(content), names, completeAt }
}

test('chunks come out in order, whichever fields are around them and however the bytes are cut', () => {
  const zipped = gzipSync(chunk)
  const begin = { repository: 'demo/r', uploadId: 'u1', size: 2 ** 40 }
  const bytes = Buffer.concat([
    encodeEnvelope(0, inOrder(begin)),
    encodeEnvelope(0, chunkLast({ offset: 0, chunk })),
    encodeEnvelope(0, inOrder({ offset: 50_000, chunk, oid: 'a1' })),
    encodeEnvelope(1, zipped),
    encodeEnvelope(0, chunkLast({ offset: 100_000, chunk: chunk.subarray(0, 3) })),
    encodeEnvelope(0, Buffer.alloc(0)).fill(0),
    encodeEnvelope(0, chunkLast({ offset: 100_003, complete: true, oid: 'b2', chunk }))
  ])
  // The empty message has the offset 0.
  const withoutEmpty = (parts: readonly Request[]) =>
    parts.filter((part, index) => index === 0 || part.offset > 0 || part.chunk.length > 0 || part.uploadId !== '')
  const whole = sumOf(withoutEmpty(read(bytes, () => bytes.length).parts))
  assert.deepEqual(whole.content, Buffer.concat([chunk, chunk, chunk.subarray(0, 3), chunk]))
  assert.deepEqual(whole.names, ['demo/r', 'u1', 'a1', `gzip ${zipped.length}`, 'b2'])
  assert.equal(whole.completeAt, 150_003)
  const cuttings: (() => number)[] = [1, 2, 3, 5, 7, 64, 16_384].map((size) => () => size)
  for (let round = 0; round < 60; round++) cuttings.push(() => 1 + random(random(3) ? 16 : 40_000))
  for (const cutting of cuttings) {
    const { parts, reader } = read(bytes, cutting)
    assert.deepEqual(sumOf(withoutEmpty(parts)), whole)
    assert.deepEqual([reader.incomplete, reader.heldBytes], [false, 0])
  }
})

test('a chunk is passed on before its message is complete, and held only where fields follow it', () => {
  const streamed = encodeEnvelope(0, chunkLast({ offset: 7, chunk }))
  const { parts, reader } = read(streamed.subarray(0, 1000), () => 100)
  assert.deepEqual([parts.length, parts[3]?.offset, reader.incomplete, reader.heldBytes], [10, 7 + 300 - 11, true, 0])
  const held = encodeEnvelope(0, inOrder({ chunk, oid: 'a1' }))
  const other = read(held.subarray(0, 1000), () => 100)
  assert.deepEqual([other.parts.length, other.reader.incomplete, other.reader.heldBytes], [0, true, held.length])
})

test('a message above the limit is refused by its prefix, and a malformed one like any other', () => {
  const codeOf = (bytes: Uint8Array, maxBytes?: number) => {
    try {
      read(bytes, () => 64, maxBytes)
      return 'ok'
    } catch (error) {
      return (error as BlobwireError).code
    }
  }
  const message = chunkLast({ offset: 0, chunk })
  assert.equal(codeOf(encodeEnvelope(0, message), message.length), 'ok')
  assert.equal(codeOf(encodeEnvelope(0, message).subarray(0, 64), message.length - 1), 'resource_exhausted')
  const endless = Buffer.concat([Buffer.alloc(200, 0xff), message])
  assert.equal(codeOf(encodeEnvelope(0, endless)), 'invalid_argument')
  // The length of the chunk is not that of the message.
  const short = Buffer.from(message)
  short[short.indexOf(chunk.subarray(0, 8)) - 1] = 1
  assert.equal(codeOf(encodeEnvelope(0, short)), 'invalid_argument')
})

test('a chunk is written as it is, behind the other fields of its message', () => {
  for (const length of [0, 100, 1024, 300_000]) {
    const chunk = new Uint8Array(length).fill(7)
    const message = { offset: 5, size: 400_000, oid: 'ab'.repeat(20), chunk, sha256: new Uint8Array(32).fill(1) }
    const wire = protobufCodec.prepare('DownloadBlobResponse', message)
    const pieces = protobufCodec.write('DownloadBlobResponse', wire, 5)
    assert.deepEqual(
      pieces.map((piece) => piece === chunk),
      length < 1024 ? [false] : [false, true]
    )
    assert.deepEqual(decodeProtobuf('DownloadBlobResponse', Buffer.concat(pieces).subarray(5)), message)
  }
})
