/** The suite of compression. */
import { randomFillSync } from 'node:crypto'
import zlib from 'node:zlib'
import { gunzipSync, gzipSync } from 'fflate'
import { looksCompressible } from '../../src/compression/sample.ts'
import { contents } from '../measure/load.ts'
import type { Contender, Scenario, Suite } from '../measure/scenario.ts'

/** Text that compresses about as well as source code. */
function text(size: number): Uint8Array {
  const words = ['const', 'return', 'import', 'value', 'readonly', 'string', '=>', '{', '}', '(', ')', ';\n', '  ']
  const random = randomFillSync(new Uint32Array(size))
  let made = ''
  for (let index = 0; made.length < size; index++) {
    const pick = random[index % size] ?? 0
    made += pick % 5 === 0 ? (pick >>> 8).toString(36) : `${words[pick % words.length]} `
  }
  return Buffer.from(made.slice(0, size))
}

function working(name: string, bytes: number, work: () => unknown, facts: Record<string, string | number>): Contender {
  return {
    name,
    open: async () => ({
      facts: () => facts,
      close: async () => undefined,
      async run(durationMs) {
        const start = performance.now()
        let times = 0
        for (; performance.now() < start + durationMs; times++) await work()
        return (times * bytes) / 1024 / 1024 / ((performance.now() - start) / 1000)
      }
    })
  }
}

function zstd(input: Uint8Array, level: number): Uint8Array {
  return zlib.zstdCompressSync(input, { params: { [zlib.constants.ZSTD_c_compressionLevel]: level } })
}

function compressing(size: number): Scenario {
  const input = text(size)
  const one = (name: string, work: () => Uint8Array) => working(name, size, work, { 'bytes out': work().length })
  return {
    suite: 'compression',
    name: `compress ${size} B of text`,
    unit: 'MiB/s',
    better: 'more',
    baseline: 'gzip, level 1',
    contenders: [
      ...[1, 3, 6].map((level) => one(`zstd, level ${level}`, () => zstd(input, level))),
      one('gzip, level 1', () => zlib.gzipSync(input, { level: 1 })),
      one('gzip, level 6', () => zlib.gzipSync(input, { level: 6 })),
      one('fflate (gzip), level 1', () => gzipSync(input, { level: 1 }))
    ]
  }
}

function inflating(size: number): Scenario {
  const content = text(size)
  const packed = zlib.gzipSync(content, { level: 1 })
  const frame = zstd(content, 3)
  return {
    suite: 'compression',
    name: `decompress to ${size} B of text`,
    unit: 'MiB/s',
    better: 'more',
    baseline: 'gzip',
    contenders: [
      working('zstd', size, () => zlib.zstdDecompressSync(frame, { chunkSize: Math.max(64, size + 1) }), {}),
      working('gzip', size, () => zlib.gunzipSync(packed), {}),
      working('fflate (gzip)', size, () => gunzipSync(packed), {})
    ]
  }
}

function deciding(size: number): Scenario {
  const random = contents(size, 'random')()
  return {
    suite: 'compression',
    name: `find out that ${size} random bytes do not compress`,
    unit: 'MiB/s',
    better: 'more',
    baseline: 'compress them, level 1',
    contenders: [
      working('look at a sample', size, () => looksCompressible(random), {
        compressible: String(looksCompressible(random))
      }),
      working('compress them, level 1', size, () => zlib.gzipSync(random, { level: 1 }), {})
    ]
  }
}

/** The choice of a compressor and its level, and of whether to compress at all. */
export const compression: Suite = {
  name: 'compression',
  about: 'zstd, gzip and fflate from 200 B to 1 MiB, and the sample that decides whether to compress.',
  scenarios({ quick }) {
    const sizes = quick ? [200, 16 * 1024, 1024 * 1024] : [200, 1024, 16 * 1024, 256 * 1024, 1024 * 1024]
    return [...sizes.map(compressing), ...sizes.map(inflating), deciding(16 * 1024), deciding(1024 * 1024)]
  }
}
