/** The compressors beside gzip: zstd and both forms of deflate, under the same limits; and which one a message gets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync, deflateSync, zstdCompressSync } from 'node:zlib'
import { inflate } from '../../server-fixture/inflate.ts'
import { Charge, MemoryBudget } from '../../server-fixture/memory-budget.ts'
import {
  type Compressor,
  compressorFor,
  compressorsIn,
  decompress,
  type Encoding
} from '../../src/compression/compression.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { badZstd, zstdSkippable, zstdStream, zstdWithSize, zstdWithWindow } from '../support/zstd.ts'

const megabyte = 1024 * 1024
const budget = () =>
  new MemoryBudget({
    maxInFlightBytes: 64 * megabyte,
    maxConnectionInFlightBytes: 32 * megabyte,
    maxBatchBytes: 4 * megabyte
  })

/** The client's decoder and the server's, which also counts its bytes. */
const decoders: Record<string, (bytes: Uint8Array, encoding: Encoding, maxBytes: number) => Promise<Uint8Array>> = {
  client: async (bytes, encoding, maxBytes) => decompress(bytes, { encoding, maxBytes }),
  async server(bytes, encoding, maxBytes) {
    const memory = budget()
    const charge = new Charge(memory.of({}))
    const content = await inflate(bytes, { encoding, maxBytes, charge })
    assert.equal(memory.heldBytes, content.length)
    return content
  }
}

const isError = (expected: Partial<BlobwireError>) => (error: unknown) => {
  assert.ok(error instanceof BlobwireError)
  assert.deepEqual({ code: error.code, reason: error.reason }, { reason: '', ...expected })
  return true
}
const malformed = isError({ code: 'invalid_argument', reason: 'malformed' })
const exhausted = isError({ code: 'resource_exhausted' })

for (const [side, decode] of Object.entries(decoders)) {
  test(`${side}: zstd in one frame or several, with its size or without, small and large`, async () => {
    for (const size of [0, 1000, 100_000, 3 * megabyte]) {
      // A sixteenth is noise, so that large contents are no longer small when compressed.
      const content = Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at % 16 ? 97 : (at * at) >> 9)))
      const one = zstdCompressSync(content)
      assert.deepEqual(Buffer.from(await decode(one, 'zstd', size || 1)), content)
      assert.deepEqual(Buffer.from(await decode(await zstdStream(content), 'zstd', size || 1)), content)
      if (size > megabyte) continue
      const several = Buffer.concat([zstdSkippable, one, await zstdStream(content), one, zstdSkippable])
      const whole = await decode(several, 'zstd', Math.max(1, 3 * size))
      assert.deepEqual(Buffer.from(whole), Buffer.concat([content, content, content]))
      if (size > 0) await assert.rejects(decode(several, 'zstd', 3 * size - 1), exhausted)
    }
    assert.equal((await decode(zstdWithWindow(Buffer.from('abc'), 23), 'zstd', 10)).length, 3)
  })

  test(`${side}: zstd that is damaged, truncated, needs a dictionary or a large window is refused`, async () => {
    const text = Buffer.from('all work and no play '.repeat(10))
    const noise = Buffer.from(Uint8Array.from({ length: 60_000 }, (_, at) => (at * at * 7919) >> 11))
    const { nothing, ...bad } = badZstd(text)
    for (const [what, bytes] of Object.entries(bad))
      await assert.rejects(decode(bytes, 'zstd', megabyte), malformed, what)
    // Servers do not decompress a body of no bytes (Connect, "Unary-Request").
    if (side === 'server') assert.equal((await decode(nothing as Buffer, 'zstd', megabyte)).length, 0)
    else await assert.rejects(decode(nothing as Buffer, 'zstd', megabyte), malformed)
    for (const what of ['truncated in a block', 'a wrong checksum', 'a second frame that is truncated'])
      await assert.rejects(decode(badZstd(noise)[what] as Buffer, 'zstd', megabyte), malformed, `large: ${what}`)
  })

  test(`${side}: bombs of zstd end at the limit, whatever size they tell`, async () => {
    const zeros = Buffer.alloc(64 * megabyte)
    for (const bytes of [zstdCompressSync(zeros), await zstdStream(zeros)]) {
      assert.ok(bytes.length < 10_000)
      await assert.rejects(decode(bytes, 'zstd', 4 * megabyte), exhausted)
    }
    await assert.rejects(decode(zstdWithSize(Buffer.from('a'), 2 ** 62), 'zstd', 4 * megabyte), exhausted)
    const parts = Buffer.concat(Array(16).fill(zstdCompressSync(Buffer.alloc(megabyte))))
    await assert.rejects(decode(parts, 'zstd', 15 * megabyte), exhausted)
  })

  test(`${side}: deflate with the header of zlib and without`, async () => {
    for (const size of [0, 1000, 3 * megabyte]) {
      const content = Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * at) >> 7))
      for (const bytes of [deflateSync(content), deflateRawSync(content)]) {
        assert.deepEqual(Buffer.from(await decode(bytes, 'deflate', size || 1)), content)
        await assert.rejects(decode(bytes.subarray(0, -1), 'deflate', size || 1), malformed)
        if (size > 1) await assert.rejects(decode(bytes, 'deflate', size - 1), exhausted)
      }
    }
    await assert.rejects(decode(Buffer.from('hello'), 'deflate', 1000), malformed)
    for (const bomb of [deflateSync, deflateRawSync]) {
      await assert.rejects(decode(bomb(Buffer.alloc(64 * megabyte)), 'deflate', 4 * megabyte), exhausted)
    }
  })
}

test('the server charges the window of a frame that does not tell its size, while it is decompressed', async () => {
  const memory = budget()
  const frame = zstdWithWindow(Buffer.from('abc'), 23)
  const content = await inflate(frame, { encoding: 'zstd', maxBytes: 100, charge: new Charge(memory.of({})) })
  assert.equal(Buffer.from(content).toString(), 'abc')
  assert.deepEqual([memory.peakBytes >= 8 * megabyte, memory.heldBytes], [true, 3])
  const others = new Charge(memory.of({}))
  others.add(30 * megabyte)
  await assert.rejects(
    async () => inflate(frame, { encoding: 'zstd', maxBytes: 100, charge: others }),
    isError({ code: 'resource_exhausted', reason: 'connection_full' })
  )
})

test('accept-encoding: the best that both have; a weight of 0 forbids', () => {
  const cases: [string, Compressor[]][] = [
    ['', []],
    ['gzip', ['gzip']],
    ['gzip, zstd', ['zstd', 'gzip']],
    ['br;q=1, ZSTD;q=0.1, gzip;q=0', ['zstd']],
    ['zstd; q=0.000, gzip', ['gzip']],
    ['deflate', []]
  ]
  for (const [header, expected] of cases) assert.deepEqual(compressorsIn(header), expected, header)
})

test('small messages get gzip, larger ones zstd where the peer has it', () => {
  assert.equal(compressorFor(2000, ['zstd', 'gzip']), 'gzip')
  assert.equal(compressorFor(16 * 1024, ['zstd', 'gzip']), 'zstd')
  assert.equal(compressorFor(1_000_000, ['gzip']), 'gzip')
  assert.equal(compressorFor(2000, ['zstd']), 'zstd')
  assert.equal(compressorFor(1_000_000, []), undefined)
})
