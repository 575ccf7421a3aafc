/** The small reader and writer of MessagePack that other runtimes than Node have, held against the complete ones. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from '@msgpack/msgpack'
import fc from 'fast-check'
import { scanMessagePack } from '../../src/codec/msgpack-scan.ts'
import { readValue } from '../../src/codec/msgpack-values.ts'
import { importWeb } from '../support/web-graph.ts'

const { readMessagePack } =
  await importWeb<typeof import('../../src/codec/web/msgpack-read.ts')>('codec/web/msgpack-read.ts')
const { writeMessagePack } =
  await importWeb<typeof import('../../src/codec/web/msgpack-write.ts')>('codec/web/msgpack-write.ts')

const numbers = [0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]
const integers = [...numbers, ...numbers.flatMap((number) => [-number, -number - 1]), -32, -33]
// -(2 ** 53) is left to the check of the field by the complete reader.
const edges = [...integers.filter((edge) => edge !== -(2 ** 53) && !Object.is(edge, -0)), '', 'é'.repeat(40_000)]

const treeOf = (...others: fc.Arbitrary<unknown>[]) =>
  fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(true, false, new Uint8Array(70_000), 'x'.repeat(31), 'x'.repeat(32), ...edges),
      fc.maxSafeInteger(),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(tie('tree'), { maxLength: 20 }),
      fc.dictionary(fc.string({ maxLength: 40 }), tie('tree'), { maxKeys: 20 }),
      ...others
    )
  })).tree

function read(reader: () => unknown): unknown {
  try {
    return reader()
  } catch (error) {
    return (error as { readonly reason?: string }).reason ?? error
  }
}

const completely = (bytes: Uint8Array) => {
  scanMessagePack(bytes)
  return readValue(bytes)
}

test('values are read as by the complete reader, and damaged ones refused for the same reason', () => {
  const tree = treeOf(fc.constant(null), fc.double(), fc.constant(Number.NaN))
  const damage = fc.array(fc.tuple(fc.nat(2000), fc.integer({ min: 0, max: 255 })), { maxLength: 3 })
  const check = fc.property(tree, fc.boolean(), damage, (value, forceFloat32, damaged) => {
    const bytes = encode(value, { forceFloat32 })
    for (const [at, byte] of damaged) if (at < bytes.length) bytes[at] = byte
    assert.deepEqual(
      read(() => readMessagePack(bytes)),
      read(() => completely(bytes))
    )
  })
  fc.assert(check, { numRuns: 200 })
})

test('lengths that nothing holds, odd keys and too many levels are refused', () => {
  const cases = [
    'c6ffffffff',
    'dbffffffff',
    'ddffffffff',
    'dfffffffff',
    '82a16101a16102',
    '81a95f5f70726f746f5f5f01',
    '810101',
    'c1',
    'd40100',
    'c7ff00',
    '8000',
    'cf0020000000000000',
    'd3ffdfffffffffffff',
    '81a1ff01',
    `${'91'.repeat(65)}c0`,
    '91'.repeat(900_000),
    ''
  ]
  for (const hex of cases)
    assert.throws(() => readMessagePack(Buffer.from(hex, 'hex')), { reason: 'malformed' }, hex.slice(0, 30))
  // Refused before anything is made for them.
  assert.throws(() => readMessagePack(Buffer.from('dd01ffffff', 'hex')), { message: /values are declared/ })
  const many = encode({ list: new Array(300_000).fill(1) })
  assert.throws(() => readMessagePack(many), { reason: 'message_too_large' })
  assert.throws(() => readMessagePack(encode(new Array(90_000).fill({}))), { reason: 'message_too_large' })
})

test('values are written as by @msgpack/msgpack, behind the headroom', () => {
  const check = fc.property(treeOf(), fc.nat(8), (value, headroom) => {
    const written = writeMessagePack(value, headroom)
    assert.ok(Buffer.from(encode(value)).equals(written.subarray(headroom)))
  })
  fc.assert(check, { numRuns: 150 })
  for (const length of [15, 16, 65_535, 65_536]) {
    const value = new Array(length).fill(7)
    assert.ok(Buffer.from(encode(value)).equals(writeMessagePack(value)))
  }
})
