/** The errors of the service. */
import { BlobwireError, invalidArgument, type PathMismatch, type RefMismatch } from '../../src/core/error.ts'
import type { KnownReason } from '../../src/core/reasons.ts'
import { isOid, type ObjectFormat, oidProblem } from '../../src/git/oid.ts'
import { binaryPath, showPath } from '../../src/git/raw-path.ts'

/** Something is missing; `reason` names its kind. */
export function notFound(
  reason: 'repository' | 'object' | 'revision' | 'path' | 'upload',
  message: string
): BlobwireError {
  return new BlobwireError({ reason, message, sent: 'processed' })
}

/** The repository is not in the state that the request needs. */
export function precondition(reason: KnownReason, message: string): BlobwireError {
  return new BlobwireError({ reason, message, sent: 'processed' })
}

/** The request names objects that are missing. */
export function missingObjects(oids: string[]): BlobwireError {
  const shown = oids.slice(0, 3).join(', ')
  const message = `the repository lacks ${oids.length} object(s): ${shown}${oids.length > 3 ? ', …' : ''}`
  const details = { missingOids: oids }
  return new BlobwireError({ reason: 'missing_object', message, details })
}

/** A failed compare-and-swap. */
export function refMismatch(mismatches: RefMismatch[]): BlobwireError {
  // A name that is not UTF-8 has lone surrogates, for which messages have no form.
  const refMismatches = mismatches.map((mismatch) => ({ ...mismatch, name: mismatch.name.toWellFormed() }))
  const [first] = refMismatches
  const message = `${first?.name} is at ${first?.foundOid}, not at ${first?.expectedOid}`
  return new BlobwireError({ reason: 'ref_mismatch', message, details: { refMismatches } })
}

/** Paths that are not as the guards of a commit expect them. */
export function pathMismatch(mismatches: PathMismatch[]): BlobwireError {
  const [first] = mismatches
  const path = first && showPath(binaryPath(first))
  const others = mismatches.length > 1 ? `, and ${mismatches.length - 1} other path(s)` : ''
  const message = `the path ${path} is at ${first?.foundOid}, not at ${first?.expectedOid}${others}`
  return new BlobwireError({ reason: 'path_mismatch', message, details: { pathMismatches: mismatches } })
}

const subjects: Readonly<Record<string, (actual: number) => string>> = {
  max_inline_bytes: (bytes) => `the content of ${bytes} bytes`,
  max_blob_bytes: (bytes) => `a blob of ${bytes} bytes`,
  max_batch_operations: (count) => `a batch of ${count} operations`
}

/** The request exceeds a limit; `actual` = 0 where its size is unknown. */
export function limitExceeded(limit: string, maximum: number, actual: number): BlobwireError {
  const subject = subjects[limit]?.(actual) ?? `a message of ${actual} bytes`
  const message = `${actual === 0 ? 'the request' : subject} exceeds ${limit} (${maximum})`
  return new BlobwireError({ code: 'resource_exhausted', message, details: { limit: { limit, maximum, actual } } })
}

/** A blob is too large for an answer: the error tells which one, because a revision may move before it is read otherwise. */
export function tooLargeToRead(oid: string, maximum: number, actual: number): BlobwireError {
  const message = `a blob of ${actual} bytes exceeds max_inline_bytes (${maximum}); DownloadBlob reads it`
  const details = { limit: { limit: 'max_inline_bytes', maximum, actual, oid } }
  return new BlobwireError({ code: 'resource_exhausted', message, details })
}

/** @throws BlobwireError `invalid_argument` unless the text is a full oid of the format */
export function checkOid(field: string, oid: string, format: ObjectFormat): string {
  if (!isOid(oid, format)) throw invalidArgument(field, oidProblem(oid, format))
  return oid
}
