/** Requests of one batch at the same time: bounded in number and bytes, and none begun after a failure. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sendParallel } from '../../src/client/parallel-requests.ts'

const mebibyte = 1024 * 1024

async function mostAtOnce(sizes: readonly number[]): Promise<{ requests: number; bytes: number }> {
  const most = { requests: 0, bytes: 0 }
  const now = { requests: 0, bytes: 0 }
  await sendParallel(
    sizes,
    (size) => size,
    async (size) => {
      now.requests++
      now.bytes += size
      most.requests = Math.max(most.requests, now.requests)
      most.bytes = Math.max(most.bytes, now.bytes)
      await new Promise((resolve) => setImmediate(resolve))
      now.requests--
      now.bytes -= size
    }
  )
  assert.deepEqual(now, { requests: 0, bytes: 0 })
  return most
}

test('sixteen requests at most, of 32 MiB at most, unless one alone has more', async () => {
  assert.deepEqual(await mostAtOnce(Array(50).fill(1000)), { requests: 16, bytes: 16_000 })
  assert.deepEqual(await mostAtOnce(Array(50).fill(4 * mebibyte)), { requests: 8, bytes: 32 * mebibyte })
  assert.deepEqual(await mostAtOnce([1, 40 * mebibyte, 1]), { requests: 1, bytes: 40 * mebibyte })
  assert.deepEqual(await mostAtOnce([]), { requests: 0, bytes: 0 })
})

test('the first failure is the error; no request is begun after it', async () => {
  const begun: number[] = []
  const failing = sendParallel(
    Array.from({ length: 40 }, (_, index) => index),
    () => 1,
    async (run) => {
      begun.push(run)
      await new Promise((resolve) => setImmediate(resolve))
      if (run === 3 || run === 5) throw new Error(`failure of ${run}`)
    }
  )
  await assert.rejects(failing, /failure of 3/)
  const { length } = begun
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(begun.length, length)
  assert.ok(length < 40)
})
