/** Errors as all transports tell them. */
import { codeFromName } from '../core/code.ts'
import { BlobwireError, type BlobwireErrorInit, type ErrorDetails } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'

/** The facts of a detail message, for the error that it belongs to. */
export function factsOf(detail: Messages['ErrorDetail'] | undefined): Partial<BlobwireErrorInit> {
  if (detail === undefined) return {}
  const { reason, retryable, requestId } = detail
  return { reason, retryable, requestId: requestId || undefined, details: detailsOf(detail) }
}

/** The error of one operation of a batch or frame. */
export function errorOfOperation({ code, message, detail }: Messages['OperationError']): BlobwireError {
  const facts = { code: codeFromName(code) ?? 'unknown', message, sent: 'processed', attempts: 1 } as const
  return new BlobwireError({ ...facts, ...factsOf(detail) })
}

/** The typed details, without those that are empty. */
function detailsOf(detail: Messages['ErrorDetail']): ErrorDetails {
  const { refMismatches, pathMismatches, limit, violations, missingOids, retryAfterMs } = detail
  return {
    ...(refMismatches.length > 0 ? { refMismatches } : {}),
    ...(pathMismatches.length > 0 ? { pathMismatches } : {}),
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
    reason: 'malformed_response',
    message: `malformed response: ${description}`,
    sent: 'processed',
    cause
  })
}
