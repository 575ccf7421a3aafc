/** The content that streams of the comparison carry: as long as wanted, and never in memory as a whole. */
import { createHash, type Hash } from 'node:crypto'

/** Random bytes, repeated. */
const block = Buffer.alloc(1024 * 1024)
// The same in all processes, by a generator with a fixed seed (xorshift, Marsaglia 2003).
let state = 2463534242
for (let at = 0; at < block.length; at += 4) {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  block.writeUInt32LE(state >>> 0, at)
}

/** Chunks of the content. They share memory: nobody may change them. */
export function* contentChunks(size: number, chunkBytes: number): Generator<Buffer, void> {
  for (let at = 0; at < size; at += chunkBytes) {
    const from = at % block.length
    yield block.subarray(from, from + Math.min(chunkBytes, size - at))
  }
}

/** The hash of a blob, without its content. */
export function beginBlob(size: number): Hash {
  return createHash('sha1').update(`blob ${size}\0`)
}

const oids = new Map<number, string>()

/** The oid of the content. */
export function contentOid(size: number): string {
  let oid = oids.get(size)
  if (oid === undefined) {
    const hash = beginBlob(size)
    for (const chunk of contentChunks(size, block.length)) hash.update(chunk)
    oid = hash.digest('hex')
    oids.set(size, oid)
  }
  return oid
}
