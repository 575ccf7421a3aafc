/** The small reader of MessagePack that other runtimes than Node have, held against the complete one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from '@msgpack/msgpack'
import fc from 'fast-check'
import { scanMessagePack } from '../../src/codec/msgpack-scan.ts'
import { readValue } from '../../src/codec/msgpack-values.ts'
import { importWeb } from '../support/web-graph.ts'

const web = await importWeb<typeof import('../../src/codec/msgpack-values.ts')>('codec/msgpack-values.ts')

const numbers = [0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]
const edges = [...numbers, ...numbers.flatMap((number) => [-number, -number - 1, number + 0.5]), '', 'é'.repeat(40_000)]

test('every value that the scan lets through is read as by the complete reader', () => {
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(
        null,
        true,
        false,
        Number.NaN,
        new Uint8Array(70_000),
        ...edges.filter((edge) => edge !== -(2 ** 53))
      ),
      fc.maxSafeInteger(),
      fc.double(),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(tie('tree'), { maxLength: 20 }),
      fc.dictionary(fc.string({ maxLength: 40 }), tie('tree'), { maxKeys: 20 })
    )
  }))
  const check = fc.property(tree, fc.boolean(), (value, forceFloat32) => {
    const bytes = encode(value, { forceFloat32 })
    scanMessagePack(bytes)
    assert.deepEqual(web.readValue(bytes), readValue(bytes))
  })
  fc.assert(check, { numRuns: 300 })
})
