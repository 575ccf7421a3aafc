import { BlobwireError, type ErrorDetails } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'

/** The typed facts of a detail message, without those that are empty. */
export function detailsOf(detail: Messages['ErrorDetail']): ErrorDetails {
  const { refMismatches, limit, violations, missingOids } = detail
  return {
    ...(refMismatches.length > 0 ? { refMismatches } : {}),
    ...(limit ? { limit } : {}),
    ...(violations.length > 0 ? { violations } : {}),
    ...(missingOids.length > 0 ? { missingOids } : {})
  }
}

/** The server answered, but not with what the protocol allows. */
export function malformedResponse(description: string, cause?: unknown): BlobwireError {
  return new BlobwireError({
    code: 'internal',
    reason: 'malformed_response',
    message: `malformed response: ${description}`,
    sent: 'processed',
    cause
  })
}
