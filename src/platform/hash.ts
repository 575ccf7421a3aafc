/** `HashFunctions` of platform.ts on Node. */
import { Buffer } from 'node:buffer'
import { createHash, hash } from 'node:crypto'

/** Up to this content, one call of `hash` and a copy are cheaper than an object of `createHash`. */
const joinBytes = 4096

/** Header and small content are joined here. */
const scratch = Buffer.allocUnsafeSlow(joinBytes + 32)
/** Its beginnings, by length: making one anew takes as long as a third of the hash. */
const beginnings = new Array<Buffer | undefined>(scratch.length + 1)

export function hashHex(algorithm: 'sha1' | 'sha256', header: string, content: Uint8Array): string {
  if (content.length > joinBytes) return createHash(algorithm).update(header, 'latin1').update(content).digest('hex')
  scratch.write(header, 0, 'latin1')
  scratch.set(content, header.length)
  const length = header.length + content.length
  let joined = beginnings[length]
  if (joined === undefined) {
    joined = scratch.subarray(0, length)
    beginnings[length] = joined
  }
  return hash(algorithm, joined, 'hex')
}
