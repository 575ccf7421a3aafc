/** Adler-32, the checksum at the end of a zlib stream (RFC 1950). Node has no function for it. */

const modulus = 65_521
/** Four bytes are taken at a time: the sums of a run of so many fit the halves of integers of 32 bits. */
const runBytes = 64
/** After so many runs the sums are reduced; they are below 2^31 until then. */
const reducedBytes = 58 * runBytes
/** The first and third byte of four. */
const everySecond = 0x00ff00ff

/**
 * Goes on with the checksum `before`, which is 1 of no bytes. Measured: three times as fast as byte by byte, and faster
 * than SHA-1.
 */
export function adler32(bytes: Uint8Array, before: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const runs = bytes.length - (bytes.length % runBytes)
  let sum = before & 0xffff
  let sumOfSums = before >>> 16
  let at = 0
  while (at < runs) {
    for (const end = Math.min(runs, at + reducedBytes); at < end; at += runBytes) {
      // Two sums of bytes in each, and the sums of these before each of their steps.
      let even = 0
      let odd = 0
      let evens = 0
      let odds = 0
      for (let step = 0; step < runBytes; step += 4) {
        const four = view.getInt32(at + step, true)
        evens = (evens + even) | 0
        odds = (odds + odd) | 0
        even = (even + (four & everySecond)) | 0
        odd = (odd + ((four >>> 8) & everySecond)) | 0
      }
      const first = even & 0xffff
      const second = odd & 0xffff
      const third = even >>> 16
      const fourth = odd >>> 16
      const before4 = (evens & 0xffff) + (evens >>> 16) + (odds & 0xffff) + (odds >>> 16)
      sumOfSums = (sumOfSums + runBytes * sum + 4 * (before4 + first) + 3 * second + 2 * third + fourth) | 0
      sum = (sum + first + second + third + fourth) | 0
    }
    sum %= modulus
    sumOfSums %= modulus
  }
  for (; at < bytes.length; at++) {
    sum += bytes[at] as number
    sumOfSums += sum
  }
  return (sumOfSums % modulus) * 65_536 + (sum % modulus)
}
