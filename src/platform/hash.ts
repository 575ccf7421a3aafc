/** `HashFunctions` of platform.ts on Node. */
import { Buffer } from 'node:buffer'
import crypto from 'node:crypto'
import type { IncrementalHash } from './platform.ts'

// Node 18 has no `hash`: a named import would fail before check-node.cts says what is needed.
const { createHash, hash } = crypto

/** Contents up to this size are copied for one call of `hash`, which is cheaper than an object of `createHash`. */
const joinBytes = 4096

/** The buffer in which a header and a small content are joined. */
const scratch = Buffer.allocUnsafeSlow(joinBytes + 32)
/** Subarrays of `scratch` by length: making one takes a third of the time of the hash. */
const prefixes = new Array<Buffer | undefined>(scratch.length + 1)

export function hashHex(algorithm: 'sha1' | 'sha256', header: string, content: Uint8Array): string {
  if (content.length > joinBytes) return createHash(algorithm).update(header, 'latin1').update(content).digest('hex')
  scratch.write(header, 0, 'latin1')
  scratch.set(content, header.length)
  const length = header.length + content.length
  let joined = prefixes[length]
  if (joined === undefined) {
    joined = scratch.subarray(0, length)
    prefixes[length] = joined
  }
  return hash(algorithm, joined, 'hex')
}

export function newHash(algorithm: 'sha1' | 'sha256'): IncrementalHash {
  return createHash(algorithm)
}
