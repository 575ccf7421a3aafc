/** The part of the program that tells of errors. */
import {
  BlobwireError,
  type BlobwireErrorInit,
  type Code,
  type ErrorDetails,
  type FieldViolation,
  type LimitExceeded,
  type RefMismatch,
  type Sent
} from 'blobwire'

export function explain(error: unknown): Sent | undefined {
  if (!(error instanceof BlobwireError)) throw error
  const code: Code = error.code
  const details: ErrorDetails = error.details
  const limit: LimitExceeded | undefined = details.limit
  const mismatch: RefMismatch | undefined = details.refMismatches?.[0]
  const violation: FieldViolation | undefined = details.violations?.[0]
  const init: BlobwireErrorInit = { code, message: limit?.limit ?? mismatch?.name ?? violation?.field ?? '' }
  return new BlobwireError(init).sent
}
