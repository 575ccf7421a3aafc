/** `HashFunctions` of platform.ts. Web Crypto answers later and takes nothing in pieces, and pages without TLS have none. */
import { sha1 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { IncrementalHash } from '../platform.ts'
import { encodeHex, encodeLatin1, toNative } from './bytes.ts'

export function hashHex(algorithm: 'sha1' | 'sha256', header: string, content: Uint8Array): string {
  const hash = newHash(algorithm)
  hash.update(encodeLatin1(header))
  hash.update(content)
  return encodeHex(toNative(hash.digest()))
}

export function newHash(algorithm: 'sha1' | 'sha256'): IncrementalHash {
  return algorithm === 'sha1' ? sha1.create() : sha256.create()
}
