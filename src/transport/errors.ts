/** The errors that all transports share. */
import { failureMessage } from '../core/advice.ts'
import { codeFromName } from '../core/code.ts'
import { failureFromErrno } from '../core/errno.ts'
import { BlobwireError, type BlobwireErrorInit, type ErrorDetails, type PathMismatch } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'

/** The properties of an error that its detail message tells. */
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

const pathMismatchOf = ({ rawPath, ...mismatch }: Messages['PathMismatch']): PathMismatch =>
  rawPath.length > 0 ? { ...mismatch, rawPath } : mismatch

/** The typed details; empty fields are left out. */
function detailsOf(detail: Messages['ErrorDetail']): ErrorDetails {
  const { refMismatches, pathMismatches, limit, violations, missingOids, retryAfterMs } = detail
  return {
    ...(refMismatches.length > 0 ? { refMismatches } : {}),
    ...(pathMismatches.length > 0 ? { pathMismatches: pathMismatches.map(pathMismatchOf) } : {}),
    ...(limit ? { limit } : {}),
    ...(violations.length > 0 ? { violations } : {}),
    ...(missingOids.length > 0 ? { missingOids } : {}),
    ...(retryAfterMs > 0 ? { retryAfterMs } : {})
  }
}

/**
 * The error with the time of a header or trailer `retry-after` (RFC 9110 section 10.2.3): a number of seconds or a date.
 * A time in the error's own details has precedence. `resource_exhausted` with a time is retryable.
 */
export function withRetryAfter(error: BlobwireError, header: string | undefined, nowMs = Date.now()): BlobwireError {
  if (header === undefined || error.details.retryAfterMs !== undefined) return error
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs
  if (Number.isNaN(ms)) return error
  const retryable = error.retryable || error.code === 'resource_exhausted'
  return error.with({ retryable, details: { ...error.details, retryAfterMs: Math.max(0, ms) } })
}

/** The error of a call for an exception of undici or Node. */
export function errorFromException(exception: unknown): BlobwireError {
  if (exception instanceof BlobwireError) return exception
  const failure = failureFromErrno(exception) ?? failureFromErrno((exception as Error | undefined)?.cause)
  const { code: errno } = (exception ?? {}) as { readonly code?: unknown }
  const message = exception instanceof Error ? exception.message || exception.name : String(exception)
  return new BlobwireError({
    code: failure?.code,
    reason: failure?.reason,
    sent: failure?.sent ?? 'maybe',
    message: failureMessage(message, String(errno ?? '')),
    cause: exception
  })
}

/**
 * The error of an answer that could not be read. Envelope, gzip and codecs serve the server, too, and report errors as
 * those of a request.
 */
export function asResponseError(error: unknown): BlobwireError {
  if (!(error instanceof BlobwireError)) return malformedResponse((error as Error).message, error)
  const { code, message } = error
  if (code === 'invalid_argument') return malformedResponse(message, error)
  if (code !== 'resource_exhausted') return error
  // The exceeded limit is the client's, so that its details must not be taken for the server's.
  return new BlobwireError({ reason: 'response_too_large', message, sent: 'processed', cause: error })
}

/** The error of an answer that violates the protocol. */
export function malformedResponse(description: string, cause?: unknown): BlobwireError {
  return new BlobwireError({
    reason: 'malformed_response',
    message: `malformed response: ${description}`,
    sent: 'processed',
    cause
  })
}

/** The error of operations whose session has ended, by itself or with an error. */
export function sessionEnded(error: BlobwireError | undefined): BlobwireError {
  const found = error ?? new BlobwireError({ code: 'unavailable', message: 'the session ended', sent: 'maybe' })
  return found.with({ attempts: Math.max(1, found.attempts) })
}
