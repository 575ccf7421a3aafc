/** Decompression: small bodies at once, others in the thread pool, few at a time. */
import assert from 'node:assert/strict'
import { createHook } from 'node:async_hooks'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { decompress } from '../../src/compression/compression.ts'
import { BlobwireError } from '../../src/core/error.ts'

const gunzip = (bytes: Uint8Array, maxBytes: number, isWanted = () => true) =>
  decompress(bytes, { encoding: 'gzip', maxBytes, isWanted })

const megabyte = 1024 * 1024
const bomb = gzipSync(Buffer.alloc(3 * megabyte))

test('a small body is decompressed at once, unless it is large then', async () => {
  const small = gzipSync(Buffer.alloc(200_000, 'text '))
  assert.equal((gunzip(small, 4 * megabyte) as Uint8Array).length, 200_000)
  const large = gunzip(bomb, 4 * megabyte)
  assert.ok(large instanceof Promise)
  assert.equal((await large).length, 3 * megabyte)
})

test('a body above the limit is resource_exhausted, at once or later', async () => {
  const isExhausted = (error: unknown) => error instanceof BlobwireError && error.code === 'resource_exhausted'
  assert.throws(() => gunzip(bomb, 100_000), isExhausted)
  await assert.rejects(Promise.resolve(gunzip(bomb, 2 * megabyte)), isExhausted)
  await assert.rejects(Promise.resolve(gunzip(gzipSync(Buffer.alloc(64 * megabyte)), megabyte)), isExhausted)
})

test('a body that waited, and that nobody wants any more, is not decompressed', async () => {
  let isWanted = true
  const results = Array.from({ length: 8 }, async () => gunzip(bomb, 4 * megabyte, () => isWanted))
  isWanted = false
  const settled = await Promise.allSettled(results)
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected', 'rejected', 'rejected']
  )
})

test('four bodies at most are decompressed at the same time, and all of them in the end', async () => {
  let begun = 0
  const hook = createHook({
    init(_id, type) {
      if (type === 'ZLIB') begun++
    }
  })
  const damaged = Buffer.from(bomb)
  damaged[damaged.length - 1] = 0xff
  hook.enable()
  try {
    // Each small body was tried at once before.
    const results = Array.from({ length: 12 }, async (_, index) => gunzip(index % 3 ? bomb : damaged, 4 * megabyte))
    assert.equal(begun, 12 + 4)
    const settled = await Promise.allSettled(results)
    assert.equal(begun, 12 + 12)
    assert.deepEqual(
      settled.map(({ status }) => status),
      Array.from({ length: 12 }, (_, index) => (index % 3 ? 'fulfilled' : 'rejected'))
    )
  } finally {
    hook.disable()
  }
  assert.equal((await gunzip(bomb, 4 * megabyte)).length, 3 * megabyte)
})
