/** The checks of oids, and their errors. */
import { BlobwireError } from '../../core/error.ts'
import { hashObject, isOid, type ObjectFormat, type ObjectKind } from '../../git/oid.ts'
import { malformedResponse } from '../../transport/errors.ts'

/** The error of an answer whose bytes do not hash to its oid. */
export function integrityError(message: string): BlobwireError {
  return new BlobwireError({ reason: 'integrity', message, sent: 'processed', attempts: 1 })
}

/** The error of an answer with another value than the expected one. */
export function integrity(subject: string, expected: string, found: string): BlobwireError {
  return integrityError(`${subject}: expected ${expected}, got ${JSON.stringify(found.slice(0, 80))}`)
}

/** The error of an answer that lacks a field, or has a wrong one. */
export const malformed = (description: string) => malformedResponse(description).with({ attempts: 1 })

/** The object format of an oid in an answer. */
export function formatOf(oid: string): ObjectFormat {
  if (!isOid(oid)) throw malformed(`${JSON.stringify(oid.slice(0, 80))} is not an oid`)
  return oid.length === 40 ? 'sha1' : 'sha256'
}

/** @throws BlobwireError `data_loss` where the content does not hash to the oid */
export function checkOid(
  subject: string,
  kind: ObjectKind,
  { oid, content }: { oid: string; content: Uint8Array }
): void {
  const computed = hashObject(kind, content, oid.length === 64 ? 'sha256' : 'sha1')
  if (computed === oid) return
  formatOf(oid)
  throw integrity(subject, computed, oid)
}
