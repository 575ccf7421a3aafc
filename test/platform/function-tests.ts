/**
 * The functions of src/platform do what their interfaces say, on each runtime. They need `node:assert` alone: they run on
 * Deno, on Bun and in a browser, too.
 */
import assert from 'node:assert/strict'
import type {
  ByteFunctions,
  HashFunctions,
  HistogramFunctions,
  RandomFunctions,
  ScheduleFunctions,
  ZlibFunctions
} from '../../src/platform/platform.ts'

/** The functions that every runtime has. */
export interface Platform extends HashFunctions, HistogramFunctions, RandomFunctions, ScheduleFunctions, ZlibFunctions {
  readonly bytes: ByteFunctions
}

const texts = ['', 'a', 'é', '漢字', '😀', '\ufeffmark', 'a\0b', 'x'.repeat(5000), 'é'.repeat(5000)]

export const functionTests: Readonly<Record<string, (platform: Platform) => void | Promise<void>>> = {
  'text becomes the UTF-8 of TextEncoder, and text again'({ bytes }) {
    for (const text of texts) {
      const expected = new TextEncoder().encode(text)
      assert.equal(bytes.utf8Length(text), expected.length)
      assert.deepEqual(bytes.toUint8Array(bytes.encodeUtf8(text)), expected)
      const target = bytes.allocate(expected.length + 3)
      assert.equal(bytes.writeUtf8(target, text, 2), expected.length)
      assert.equal(bytes.decodeUtf8(target, 2, expected.length + 2), text)
      assert.equal(bytes.decodeUtf8(bytes.toNative(expected)), text)
      assert.ok(bytes.isUtf8(expected))
    }
    assert.equal(bytes.decodeUtf8(bytes.toNative(Uint8Array.of(0x61, 0xff))), 'a\ufffd')
    assert.ok(!bytes.isUtf8(Uint8Array.of(0xc3)))
  },

  'every byte has one character in latin1, two in hex, and its place in base64'({ bytes }) {
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    const native = bytes.toNative(all)
    assert.equal(bytes.decodeLatin1(native), String.fromCharCode(...all))
    assert.equal(bytes.decodeLatin1(native, 65, 67), 'AB')
    assert.equal(bytes.encodeHex(native, 9, 11), '090a')
    assert.deepEqual([...bytes.decodeHex(bytes.encodeHex(native))], [...all])
    for (let length = 0; length < 8; length++) {
      const padded = btoa(String.fromCharCode(...all.subarray(0xf8, 0xf8 + length)))
      assert.equal(bytes.encodeBase64(all.subarray(0xf8, 0xf8 + length)), padded)
      for (const text of [padded, padded.replace(/=+$/, ''), padded.replaceAll('+', '-').replaceAll('/', '_')]) {
        assert.deepEqual(bytes.decodeBase64(text), all.slice(0xf8, 0xf8 + length), text)
      }
    }
    for (const text of ['A', 'AAAAA', 'AA==AA', 'A A=', 'AA\n=', '€AAA', '====']) {
      assert.equal(bytes.decodeBase64(text), undefined, JSON.stringify(text))
    }
  },

  'native and plain bytes share their memory; copies do not'({ bytes }) {
    const plain = Uint8Array.of(0, 1, 2, 3, 4).subarray(1)
    const native = bytes.toNative(plain)
    assert.equal(bytes.toNative(native), native)
    assert.equal(bytes.toUint8Array(plain), plain)
    assert.equal(Object.getPrototypeOf(bytes.toUint8Array(native)), Uint8Array.prototype)
    const copies = [bytes.copyRange(native, 1, 3), bytes.concat([plain.subarray(1, 2), native.subarray(2, 3)])]
    plain[1] = 9
    assert.deepEqual([...native, ...bytes.toUint8Array(native)], [1, 9, 3, 4, 1, 9, 3, 4])
    for (const copy of copies) assert.deepEqual([...copy], [2, 3])
  },

  'bytes are ordered as memcmp orders them, the shorter first'({ bytes }) {
    const ordered = [[], [0], [0, 0], [1], [1, 0xff], [0x80], [0xff]].map((list) => Uint8Array.from(list))
    for (const [at, left] of ordered.entries()) {
      for (const [place, right] of ordered.entries()) {
        assert.equal(Math.sign(bytes.compare(left, right)), Math.sign(at - place))
      }
    }
  },

  async 'header and content are hashed as one, whatever their size'({ bytes, hashHex, newHash }) {
    for (const length of [0, 1, 4096, 4097, 100_000]) {
      const content = new Uint8Array(length).fill(0xe9)
      const header = `blob ${length}\0`
      for (const [algorithm, name] of [
        ['sha1', 'SHA-1'],
        ['sha256', 'SHA-256']
      ] as const) {
        const digest = await crypto.subtle.digest(
          name,
          bytes.toUint8Array(bytes.concat([bytes.encodeUtf8(header), content])).slice()
        )
        const expected = bytes.encodeHex(bytes.toNative(new Uint8Array(digest)))
        assert.equal(hashHex(algorithm, header, content), expected, `${length} bytes`)
        const pieces = newHash(algorithm)
        pieces.update(bytes.encodeUtf8(header))
        for (let at = 0; at < length; at += 1000) pieces.update(content.subarray(at, at + 1000))
        assert.equal(bytes.encodeHex(bytes.toNative(pieces.digest())), expected, `${length} bytes in pieces`)
      }
    }
  },

  async 'each compressor and back, large by a promise, never beyond the limit'({
    bytes,
    compress,
    compressors,
    decompress
  }) {
    const magic = { gzip: [0x1f, 0x8b, 8, 0], zstd: [0x28, 0xb5, 0x2f, 0xfd] }
    for (const format of compressors) {
      for (const length of [0, 1000, 1_000_000]) {
        const content = Uint8Array.from({ length }, (_, at) => (at * at) >> 7)
        const compressed = await compress(format, content)
        assert.deepEqual([...compressed.subarray(0, 4)], magic[format])
        const back = await decompress(compressed, { format, maxBytes: length || 1 })
        assert.deepEqual(bytes.toUint8Array(back), content)
        if (length > 16 * 1024) assert.ok(compress(format, content) instanceof Promise)
        if (length > 1)
          await assert.rejects(async () => decompress(compressed, { format, maxBytes: length - 1 }), RangeError)
        // Node 22 takes a truncated frame of zstd for a complete one; `zstdFrames` finds those.
        if (format === 'zstd') continue
        await assert.rejects(
          async () => decompress(compressed.subarray(0, -1), { format, maxBytes: length || 1 }),
          (error) => !(error instanceof RangeError)
        )
      }
    }
  },

  async 'what is ready runs before afterReady, and that before afterInput'({ afterInput, afterReady }) {
    const order: string[] = []
    const chain = async () => {
      for (let step = 0; step < 5; step++) await undefined
      order.push('promises')
    }
    await new Promise<void>((resolve) => {
      afterInput(() => {
        order.push('afterInput')
        resolve()
      })
      afterReady(() => order.push('afterReady'))
      const tick = globalThis.process?.nextTick ?? queueMicrotask
      tick(() => order.push('ticks'))
      void chain()
    })
    assert.deepEqual(order.slice(0, 2).sort(), ['promises', 'ticks'])
    assert.deepEqual(order.slice(2), ['afterReady', 'afterInput'])
  },

  async 'a timer calls back once, unless it is cancelled'({ startTimer }) {
    const cancelled = startTimer(0, () => assert.fail('it was cancelled'))
    cancelled()
    // Timers do not keep the process running.
    const hold = setInterval(() => undefined, 1000)
    await new Promise<void>((resolve) => startTimer(1, resolve))
    clearInterval(hold)
  },

  'a histogram is exact to three figures'({ newHistogram }) {
    const histogram = newHistogram()
    assert.equal(histogram.count, 0)
    for (let value = 1; value <= 1000; value++) histogram.record(value * 100)
    const { count, mean, max } = histogram
    assert.equal(count, 1000)
    for (const [found, expected] of [
      [mean, 50_050],
      [max, 100_000],
      [histogram.percentile(50), 50_000],
      [histogram.percentile(99), 99_000]
    ] as const) {
      assert.ok(Math.abs(found / expected - 1) < 0.002, `${found} for ${expected}`)
    }
  },

  'random bytes are as many as asked for, their own memory, and others each time'({ bytes, randomBytes }) {
    const keys = Array.from({ length: 1000 }, () => randomBytes(16))
    assert.ok(keys.every((key) => key.length === 16 && key.buffer.byteLength === 16))
    assert.equal(new Set(keys.map((key) => bytes.encodeHex(bytes.toNative(key)))).size, 1000)
  }
}
