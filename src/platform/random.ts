/** `RandomFunctions` of platform.ts on Node. */
import { Buffer } from 'node:buffer'
import { randomFillSync } from 'node:crypto'

/** Filled at once: one call of the operating system for many keys. */
const pool = Buffer.allocUnsafeSlow(4096)
let used = pool.length

/** At most the pool's size. */
export function randomBytes(length: number): Uint8Array {
  if (used + length > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += length
  return new Uint8Array(pool.subarray(used - length, used))
}
