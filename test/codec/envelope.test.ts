/** The envelope against bytes that others write, in every cutting, under its limit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeEnvelope as connectEnvelope } from '@connectrpc/connect/protocol'
import { EnvelopeParser, encodeEnvelope } from '../../src/codec/envelope.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { randomNumbers } from '../support/random.ts'

interface Taken {
  flags: number
  payload: string
}

/** Envelopes read from chunks of the given sizes, of which the last one repeats. */
function parse(
  bytes: Uint8Array,
  sizes: readonly number[],
  maxBytes = 1 << 24
): { taken: Taken[]; parser: EnvelopeParser } {
  const taken: Taken[] = []
  const parser = new EnvelopeParser(maxBytes, (flags, payload) =>
    taken.push({ flags, payload: Buffer.from(payload).toString('hex') })
  )
  let at = 0
  for (let index = 0; at < bytes.length; index++) {
    const size = sizes[Math.min(index, sizes.length - 1)] as number
    // A chunk of its own, so that a view that is kept too long would be seen to change.
    const chunk = Buffer.from(bytes.subarray(at, at + size))
    parser.push(chunk)
    chunk.fill(0xee)
    at += size
  }
  return { taken, parser }
}

test("an envelope has the bytes of Connect's own encoder, and of the gRPC specification", () => {
  for (const flags of [0, 1, 2, 3, 0x80]) {
    for (const length of [0, 1, 255, 256, 65_536, 70_000]) {
      const payload = Buffer.alloc(length, 0x5a)
      assert.deepEqual(Buffer.from(encodeEnvelope(flags, payload)), Buffer.from(connectEnvelope(flags, payload)))
    }
  }
  // gRPC's "Length-Prefixed-Message" of the protobuf message 08 01, as in its PROTOCOL-HTTP2.md: flag, four bytes, message.
  assert.equal(Buffer.from(encodeEnvelope(0, Uint8Array.of(8, 1))).toString('hex'), '00000000020801')
})

test('envelopes come out whole and in order, however the bytes are cut', () => {
  const random = randomNumbers(7)
  const lengths = [0, 0, 1, 4, 5, 6, 1000, 0, 70_000, 3, 0]
  const sent = lengths.map((length, index) => ({
    flags: index & 3,
    payload: Buffer.from(Array.from({ length }, () => random(256)))
  }))
  const bytes = Buffer.concat(sent.map(({ flags, payload }) => connectEnvelope(flags, payload)))
  const expected = sent.map(({ flags, payload }) => ({ flags, payload: Buffer.from(payload).toString('hex') }))
  const regular = [1, 2, 3, 4, 5, 6, 7, 64, 4096, bytes.length].map((size) => [size])
  const seeded = Array.from({ length: 300 }, () =>
    Array.from({ length: 40 }, () => 1 + random(random(4) ? 12 : 60_000))
  )
  for (const sizes of [...regular, ...seeded]) {
    const { taken, parser } = parse(bytes, sizes)
    assert.deepEqual(taken, expected, `cut into ${sizes}`)
    assert.equal(parser.incomplete, false)
  }
})

test('an unfinished envelope is reported', () => {
  const bytes = encodeEnvelope(0, Buffer.from('hello'))
  for (let length = 1; length < bytes.length; length++) {
    for (const size of [1, length]) {
      const { taken, parser } = parse(bytes.subarray(0, length), [size])
      assert.deepEqual([taken.length, parser.incomplete], [0, true], `${length} bytes in chunks of ${size}`)
    }
  }
})

test('a payload above the limit is refused by its header; a payload of exactly the limit is not', () => {
  const whole = encodeEnvelope(0, Buffer.alloc(100))
  assert.equal(parse(whole, [13], 100).taken.length, 1)
  for (const length of ['00000065', 'ffffffff', '80000000']) {
    const header = Buffer.from(`00${length}`, 'hex')
    for (const size of [1, 5]) {
      assert.throws(
        () => parse(header, [size], 100),
        (error: BlobwireError) => {
          assert.ok(error instanceof BlobwireError)
          const actual = Number.parseInt(length, 16)
          assert.equal(error.code, 'resource_exhausted')
          assert.deepEqual(error.details.limit, { limit: 'max_batch_bytes', maximum: 100, actual })
          return true
        }
      )
    }
  }
})

test('an error thrown by the receiver comes out of push', () => {
  const parser = new EnvelopeParser(10, () => {
    throw new Error('not mine')
  })
  assert.throws(() => parser.push(encodeEnvelope(0, Buffer.alloc(1))), /not mine/)
})

/** Bytes that `run` copies, by any of the ways that Node has. */
function bytesCopied(run: () => void): number {
  const { copy } = Buffer.prototype
  const { set } = Uint8Array.prototype
  const { concat } = Buffer
  let bytes = 0
  Uint8Array.prototype.set = function (this: Uint8Array, ...rest: Parameters<Uint8Array['set']>) {
    set.apply(this, rest)
    bytes += rest[0].length
  }
  Buffer.prototype.copy = function (this: Buffer, ...rest: Parameters<Buffer['copy']>) {
    const count = copy.apply(this, rest)
    bytes += count
    return count
  } as Buffer['copy']
  Buffer.concat = (...rest: Parameters<typeof concat>) => {
    const whole = concat(...rest)
    bytes += whole.length
    return whole
  }
  try {
    run()
  } finally {
    Buffer.prototype.copy = copy
    Reflect.deleteProperty(Uint8Array.prototype, 'set')
    Buffer.concat = concat
  }
  return bytes
}

test('slices of 1 and 7 bytes are copied once: the work grows with the bytes, not with their square', () => {
  // The small one first: it finds a quadratic parser before the large one would take hours.
  for (const length of [4096, 4 * 1024 * 1024]) {
    for (const size of [1, 7]) {
      let received = 0
      const envelope = encodeEnvelope(0, Buffer.alloc(length))
      const copied = bytesCopied(() => {
        const parser = new EnvelopeParser(length, (_flags, payload) => {
          received += payload.length
        })
        for (let at = 0; at < envelope.length; at += size) parser.push(envelope.subarray(at, at + size))
      })
      assert.equal(received, length)
      // The payload once, the header at most twice.
      assert.ok(copied >= length && copied <= length + 10, `${copied} of ${length} bytes in slices of ${size}`)
    }
  }
})
