/** `RandomFunctions` of platform.ts on Web Crypto, whose random numbers are there without TLS, too. */

/** Filled at once, and not before the first is wanted: some runtimes have no random numbers while a program starts. */
const pool = new Uint8Array(4096)
let used = pool.length

/** At most the pool's size. */
export function randomBytes(length: number): Uint8Array {
  if (used + length > pool.length) {
    crypto.getRandomValues(pool)
    used = 0
  }
  used += length
  return pool.slice(used - length, used)
}
