import { BlobwireError } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'

/** Of one text in an error; it may hold what a caller sent, and gRPC sends it as a header. */
const maxTextLength = 1000

const cut = (text: string) => (text.length > maxTextLength ? `${text.slice(0, maxTextLength).toWellFormed()}…` : text)

/** The typed part of an error, as both doors and batches tell it. */
export function errorDetail(error: BlobwireError, requestId: string): Messages['ErrorDetail'] {
  const { refMismatches, limit, violations, missingOids, retryAfterMs } = error.details
  return {
    reason: error.reason,
    retryable: error.retryable,
    requestId,
    refMismatches: refMismatches ?? [],
    limit,
    violations: (violations ?? []).map(({ field, description }) => ({
      field: cut(field),
      description: cut(description)
    })),
    missingOids: missingOids ?? [],
    retryAfterMs: retryAfterMs ?? 0
  }
}

/** What failed unexpectedly is told without its insides, which may name files of the server. */
export function toBlobwireError(error: unknown): BlobwireError {
  if (error instanceof BlobwireError) {
    return error.message.length > maxTextLength ? error.with({ message: cut(error.message) }) : error
  }
  return new BlobwireError({ code: 'internal', message: 'the server failed; its log says why', cause: error })
}
