import { BlobwireError, type ErrorDetails } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'

/** The typed facts of a detail message, without those that are empty. */
export function detailsOf(detail: Messages['ErrorDetail']): ErrorDetails {
  const { refMismatches, limit, violations, missingOids, retryAfterMs } = detail
  return {
    ...(refMismatches.length > 0 ? { refMismatches } : {}),
    ...(limit ? { limit } : {}),
    ...(violations.length > 0 ? { violations } : {}),
    ...(missingOids.length > 0 ? { missingOids } : {}),
    ...(retryAfterMs > 0 ? { retryAfterMs } : {})
  }
}

/**
 * The error with what a header or trailer says on when to try again; `retry-after` (RFC 9110 section 10.2.3) is a number
 * of seconds or a date. What the error itself says counts more. A server that says when wants to be asked again.
 */
export function withRetryAfter(error: BlobwireError, header: string | undefined, nowMs = Date.now()): BlobwireError {
  if (header === undefined || error.details.retryAfterMs !== undefined) return error
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs
  if (Number.isNaN(ms)) return error
  const retryable = error.retryable || error.code === 'resource_exhausted'
  return error.with({ retryable, details: { ...error.details, retryAfterMs: Math.max(0, ms) } })
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
