import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { adler32 } from '../../server-fixture/store/git/large/adler32.ts'

test('Adler-32 is that at the end of a zlib stream, also of bytes in pieces', () => {
  const contents = [
    Buffer.alloc(70_000, 0xff),
    Buffer.alloc(70_000),
    Buffer.alloc(70_000, 'abcdefg'),
    randomBytes(70_000)
  ]
  for (const content of contents) {
    for (const length of [0, 1, 63, 64, 65, 3711, 3712, 3713, 16_384, 69_999]) {
      const bytes = content.subarray(1, 1 + length)
      const expected = deflateSync(bytes).subarray(-4).readUInt32BE()
      assert.equal(adler32(bytes, 1), expected, `${length}`)
      const middle = Math.floor(length / 3)
      assert.equal(
        adler32(bytes.subarray(middle), adler32(bytes.subarray(0, middle), 1)),
        expected,
        `${length}, pieces`
      )
    }
  }
})
