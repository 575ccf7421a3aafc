/** Errors as responses carry them. */
import { BlobwireError } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'

/** Most characters of one text in an error: it may quote the request, and gRPC sends it as a header. */
const maxTextLength = 1000

/** A text that every protocol can carry. The name of a ref that is not UTF-8 has lone surrogates (`store/ref-bytes.ts`). */
const textOf = (text: string) =>
  text.length > maxTextLength ? `${text.slice(0, maxTextLength).toWellFormed()}…` : text.toWellFormed()

/** The typed part of an error, the same in both protocols and in batches. */
export function errorDetail(error: BlobwireError, requestId: string): Messages['ErrorDetail'] {
  const { refMismatches, pathMismatches, limit, violations, missingOids, retryAfterMs } = error.details
  return {
    reason: error.reason,
    retryable: error.retryable,
    requestId,
    refMismatches: (refMismatches ?? []).map((mismatch) => ({ ...mismatch, name: mismatch.name.toWellFormed() })),
    pathMismatches: (pathMismatches ?? []).map((mismatch) => ({ rawPath: new Uint8Array(0), ...mismatch })),
    limit,
    violations: (violations ?? []).map(({ field, description }) => ({
      field: textOf(field),
      description: textOf(description)
    })),
    missingOids: missingOids ?? [],
    retryAfterMs: retryAfterMs ?? 0
  }
}

/** The error of one operation of a batch. */
export function operationError(error: BlobwireError, requestId: string): Messages['OperationError'] {
  const { message, code } = error
  return { code, message: textOf(message), detail: errorDetail(error, requestId) }
}

/** An unexpected error hides its message, which may name files of the server. */
export function toBlobwireError(error: unknown): BlobwireError {
  if (error instanceof BlobwireError) {
    const message = textOf(error.message)
    return message === error.message ? error : error.with({ message })
  }
  return new BlobwireError({ code: 'internal', message: 'the server failed; its log says why', cause: error })
}
