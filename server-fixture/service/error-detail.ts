/** Errors as responses carry them. */
import { BlobwireError } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'

/** Most characters of one text in an error: it may quote the request, and gRPC sends it as a header. */
const maxTextLength = 1000

const cut = (text: string) => (text.length > maxTextLength ? `${text.slice(0, maxTextLength).toWellFormed()}…` : text)

/** The typed part of an error, the same in both protocols and in batches. */
export function errorDetail(error: BlobwireError, requestId: string): Messages['ErrorDetail'] {
  const { refMismatches, pathMismatches, limit, violations, missingOids, retryAfterMs } = error.details
  return {
    reason: error.reason,
    retryable: error.retryable,
    requestId,
    refMismatches: refMismatches ?? [],
    pathMismatches: (pathMismatches ?? []).map((mismatch) => ({ rawPath: new Uint8Array(0), ...mismatch })),
    limit,
    violations: (violations ?? []).map(({ field, description }) => ({
      field: cut(field),
      description: cut(description)
    })),
    missingOids: missingOids ?? [],
    retryAfterMs: retryAfterMs ?? 0
  }
}

/** The error of one operation of a batch. */
export function operationError(error: BlobwireError, requestId: string): Messages['OperationError'] {
  const { message, code } = error
  return { code, message, detail: errorDetail(error, requestId) }
}

/** An unexpected error hides its message, which may name files of the server. */
export function toBlobwireError(error: unknown): BlobwireError {
  if (error instanceof BlobwireError) {
    return error.message.length > maxTextLength ? error.with({ message: cut(error.message) }) : error
  }
  return new BlobwireError({ code: 'internal', message: 'the server failed; its log says why', cause: error })
}
