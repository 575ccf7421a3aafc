/** Adler-32, the checksum at the end of a zlib stream (RFC 1950). Node has no function for it. */

const modulus = 65_521
/** After so many bytes the sums are reduced; they are below 2^31 until then. */
const reducedBytes = 3776

/** Goes on with the checksum `before`, which is 1 of no bytes. */
export function adler32(bytes: Uint8Array, before: number): number {
  const byte = (at: number) => bytes[at] as number
  let a = before & 0xffff
  let b = before >>> 16
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + reducedBytes)
    // Integers of 32 bits, as the engine is told by `| 0`: four times as fast as numbers.
    for (; at + 4 <= end; at += 4) {
      const [c0, c1, c2, c3] = [byte(at), byte(at + 1), byte(at + 2), byte(at + 3)]
      b = (b + 4 * a + 4 * c0 + 3 * c1 + 2 * c2 + c3) | 0
      a = (a + c0 + c1 + c2 + c3) | 0
    }
    for (; at < end; at++) {
      a = (a + byte(at)) | 0
      b = (b + a) | 0
    }
    a %= modulus
    b %= modulus
  }
  return b * 65_536 + a
}
