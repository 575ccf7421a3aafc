import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { BlockList } from '../../server-fixture/store/block-list.ts'

const kibibyte = 1024
const content = randomBytes(1024 * kibibyte)

/** The list of the content, cut into buffers as a network gives them, of which each holds these pieces among other bytes. */
function listOf(bufferBytes: number, pieceBytes: number, share: number): BlockList {
  const list = new BlockList()
  for (let at = 0; at < content.length; ) {
    const buffer = Buffer.allocUnsafeSlow(bufferBytes)
    for (let from = 0; from + pieceBytes <= bufferBytes * share && at < content.length; from += pieceBytes) {
      const piece = buffer.subarray(from, from + Math.min(pieceBytes, content.length - at))
      piece.set(content.subarray(at, at + piece.length))
      list.append(piece)
      at += piece.length
    }
  }
  list.seal()
  return list
}

/** Memory that the list keeps. */
function heldBytes(list: BlockList): number {
  const pieces = [...list.slices(0, list.length)]
  const buffers = new Set(pieces.map((piece) => piece.buffer))
  return [...buffers].reduce((bytes, buffer) => bytes + buffer.byteLength, 200 * pieces.length)
}

const forms = [
  { name: 'pieces of 16 KiB that fill buffers of 64 KiB', buffer: 64, piece: 16_384, share: 1 },
  { name: 'pieces with headers between them', buffer: 64, piece: 16_000, share: 1 },
  { name: 'one piece of 1 KiB in each buffer of 64 KiB', buffer: 64, piece: 1024, share: 1 / 64 },
  { name: 'one piece of 40 bytes in each buffer of 64 KiB', buffer: 64, piece: 40, share: 1 / 1600 },
  { name: 'pieces of 16 bytes', buffer: 64, piece: 16, share: 1 }
]

for (const { name, buffer, piece, share } of forms) {
  test(`${name} take at most twice their bytes, and are read from any offset`, () => {
    const list = listOf(buffer * kibibyte, piece, share)
    assert.equal(list.length, content.length)
    assert.ok(heldBytes(list) <= 2.1 * content.length, String(heldBytes(list)))
    assert.ok(content.equals(list.join()))
    const edges = [0, 1, 15, 16, 16_383, 16_384, 262_143, 262_145, 500_000, content.length - 1, content.length]
    for (const start of edges) {
      for (const end of edges.filter((edge) => edge >= start)) {
        assert.ok(content.subarray(start, end).equals(Buffer.concat([...list.slices(start, end)])), `${start}-${end}`)
      }
    }
  })
}

test('buffers that hold little else are kept without a copy', () => {
  const list = new BlockList()
  const buffers = Array.from({ length: 40 }, () => Buffer.allocUnsafeSlow(64 * kibibyte))
  for (const buffer of buffers) {
    for (const from of [9, 16_402, 32_795, 49_188]) list.append(buffer.subarray(from, from + 16_348))
  }
  list.seal()
  const kept = new Set(Array.from(list.slices(0, list.length), (piece) => piece.buffer))
  assert.deepEqual(
    [...kept],
    buffers.map((buffer) => buffer.buffer)
  )
})

test('what has not filled a group yet is no less bounded', () => {
  const list = new BlockList()
  for (let i = 0; i < 1000; i++) list.append(Buffer.allocUnsafeSlow(64 * kibibyte).subarray(0, 1))
  assert.ok(heldBytes(list) <= 512 * kibibyte, String(heldBytes(list)))
})
