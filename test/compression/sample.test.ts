/** The sample decides as gzip itself would: compressible content shrinks, and incompressible content is never tried. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { looksCompressible } from '../../src/compression/sample.ts'
import { randomNumbers } from '../support/random.ts'

const random = randomNumbers(11)
const noise = (length: number) => Buffer.from(Uint8Array.from({ length }, () => random(256)))
const sizes = [1024, 1025, 4095, 4096, 4097, 16 * 1024, 100_001, 1024 * 1024]

const text = readFileSync(new URL('../../README.md', import.meta.url))
const filled = (source: Buffer, length: number) => Buffer.alloc(length, source)

/** A JFIF header (JPEG File Interchange Format 1.02) with an Exif part of `textBytes`, then bytes like those of its scan. */
function jpegLike(length: number, textBytes: number): Buffer {
  const header = Buffer.from('ffd8ffe000104a46494600010100000100010000ffe1', 'hex')
  return Buffer.concat([header, Buffer.alloc(textBytes, 'Exif: camera '), noise(length)]).subarray(0, length)
}

test('random bytes are never compressed, at any size', () => {
  for (const size of sizes) {
    for (let round = 0; round < (size > 100_000 ? 3 : 50); round++) {
      assert.equal(looksCompressible(noise(size)), false, `${size} bytes`)
    }
  }
})

test('base64 of random bytes is not compressed: a quarter saved would cost fifty times the time of base64', () => {
  for (const size of sizes) {
    const request = JSON.stringify({ repository: 'a/b', content: noise(size).toString('base64') })
    const frame = Buffer.concat([Buffer.from('00000005f2e1', 'hex'), Buffer.from(request)])
    for (const bytes of [Buffer.from(request), frame]) assert.equal(looksCompressible(bytes), false, `${size} bytes`)
  }
})

test('gzipped content is not compressed again', () => {
  const lines = Array.from({ length: 40_000 }, (_, index) => `line ${index} ${random(1e9)} of a log\n`).join('')
  for (const source of [Buffer.from(lines), Buffer.concat([text, noise(100_000)])]) {
    const compressed = gzipSync(source)
    assert.ok(compressed.length > 50_000)
    assert.equal(looksCompressible(compressed), false)
  }
})

test('a header of text before compressed content does not decide', () => {
  for (const size of sizes.filter((bytes) => bytes >= 4096)) {
    assert.equal(looksCompressible(jpegLike(size, 64)), false, `${size} bytes`)
  }
  assert.equal(looksCompressible(jpegLike(1024 * 1024, 4096)), false)
})

test('text, JSON, base64 of text and zeroes are compressed, and gzip shrinks them', () => {
  for (const size of sizes) {
    const json = Buffer.from(
      JSON.stringify(Array.from({ length: size / 40 + 1 }, (_, id) => ({ id, oid: noise(20).toString('hex') })))
    )
    const cases = {
      text: filled(text, size),
      json: json.subarray(0, size),
      base64: Buffer.from(filled(text, size).toString('base64')).subarray(0, size),
      zeroes: Buffer.alloc(size)
    }
    for (const [name, bytes] of Object.entries(cases)) {
      assert.equal(looksCompressible(bytes), true, `${name} of ${size} bytes`)
      assert.ok(gzipSync(bytes, { level: 1 }).length < bytes.length * 0.85, `gzip on ${name} of ${size} bytes`)
    }
  }
})

test('nothing at all and a few bytes are looked at without an exception', () => {
  for (const length of [0, 1, 2, 3, 4, 5]) assert.equal(typeof looksCompressible(noise(length)), 'boolean')
})
