/** The writer agrees with `@msgpack/msgpack` byte for byte, in one piece and in several. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from '@msgpack/msgpack'
import { writeMessagePack, writeMessagePackPieces } from '../../src/codec/msgpack-write.ts'
import { randomNumbers } from '../support/random.ts'

const edges = [0, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0x7fff_ffff, 0xffff_ffff, 2 ** 32, Number.MAX_SAFE_INTEGER]
const numbers = [...edges, ...edges.map((edge) => -edge), -0x20, -0x21, -0x81, -0x8001, -(2 ** 31) - 1]
const lengths = [0, 1, 10, 11, 15, 16, 31, 32, 255, 256, 65_535, 65_536, 100_000]
const texts = lengths.flatMap((length) => ['a', 'é', '漢', '😀'].map((letter) => letter.repeat(length)))

/** The library's bytes; messages have neither `undefined` nor floats, which it writes in ways of its own. */
const expected = (value: unknown) => Buffer.from(encode(value))

test('numbers, texts, bytes, lists and maps of every length of header', () => {
  const values: unknown[] = [...numbers.filter((number) => !Object.is(number, -0)), ...texts, true, false]
  for (const length of lengths) {
    values.push(Buffer.alloc(length, 7), new Array(length).fill(length))
    values.push(Object.fromEntries(Array.from({ length: Math.min(length, 1000) }, (_, index) => [`k${index}`, index])))
  }
  for (const value of values) assert.ok(expected(value).equals(writeMessagePack(value)), String(value).slice(0, 40))
})

test('pieces with room in front are the same bytes; large contents are not copied', () => {
  const random = randomNumbers(3)
  for (let round = 0; round < 300; round++) {
    const contents = Array.from({ length: random(6) }, () =>
      Buffer.alloc([0, 50, 3000, 9000, 16_384, 70_000][random(6)] ?? 0, random(256))
    )
    const value = {
      list: contents.map((content, id) => ({ id, content, oid: 'ab'.repeat(20) })),
      name: 'é'.repeat(random(50))
    }
    const pieces = writeMessagePackPieces(value, 5)
    assert.ok(Buffer.concat(pieces).subarray(5).equals(expected(value)))
    for (const content of contents.filter(({ length }) => length >= 16_384)) {
      const isKept = pieces.some(
        ({ buffer, byteOffset }) => buffer === content.buffer && byteOffset === content.byteOffset
      )
      assert.ok(isKept)
    }
  }
})
