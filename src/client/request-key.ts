/** The keys under which the server remembers writes, so that a repetition has no second effect. */
import type { CallOptions } from '../call/call-options.ts'
import { invalidArgument } from '../core/error.ts'
import { encodeBase64, encodeUtf8 } from '../platform/bytes.ts'
import { hashHex } from '../platform/hash.ts'
import { randomBytes } from '../platform/random.ts'
import type { Method } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'

/** Options of a call that moves refs, or creates or deletes a repository. */
export interface WriteOptions extends CallOptions {
  /**
   * Key under which the server remembers the call and its outcome: 1 to 64 of `[A-Za-z0-9_-]`. The same call with the
   * same key has one effect and one answer, also when another process repeats it; another call with the same key fails
   * with `invalid_argument`, reason `request_key_reused`. `getCapabilities` tells for how long
   * (`requestKeySeconds`). Retries of the client have the same key in any case.
   * @default a random key
   */
  requestKey?: string | undefined
}

const maxLength = 64
const form = /^[A-Za-z0-9_-]{1,64}$/

/** A new key: 128 random bits in base64url (RFC 4648 section 5). */
export function newRequestKey(): string {
  return encodeBase64(randomBytes(16)).slice(0, 22).replaceAll('+', '-').replaceAll('/', '_')
}

/** @throws BlobwireError `invalid_argument` for what cannot be a key */
export function checkRequestKey(key: unknown): string {
  if (typeof key === 'string' && form.test(key)) return key
  throw invalidArgument('requestKey', 'must be 1 to 64 of [A-Za-z0-9_-]')
}

/** The key of a part of a call, or of its next round: the same for the same key and number. */
export function derivedKey(key: string, part: number): string {
  const suffix = `--${part}`
  if (key.length + suffix.length <= maxLength) return key + suffix
  return hashHex('sha256', '', encodeUtf8(key)).slice(0, maxLength - suffix.length) + suffix
}

const keyedMethods = new Set<Method>([
  methods.commitFiles,
  methods.updateRefs,
  methods.createRepository,
  methods.updateRepository,
  methods.deleteRepository
])

/**
 * Whether a request is a write that has a key; batches that are not atomic have one for each of their operations, and a
 * commit that is only prepared needs none.
 */
export function isKeyed(method: Method, request: object): boolean {
  if (method === methods.commitFiles) return !(request as Messages['CommitFilesRequest']).prepare
  if (method === methods.batchOperations) return (request as Messages['BatchOperationsRequest']).atomic
  return keyedMethods.has(method)
}
