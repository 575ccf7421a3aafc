import { codeFromName } from '../core/code.ts'
import { BlobwireError } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'
import { detailsOf } from '../transport/errors.ts'

/** The error of one operation of a batch or frame. */
export function operationError(error: Messages['OperationError']): BlobwireError {
  const { code, message, detail } = error
  return new BlobwireError({
    code: codeFromName(code) ?? 'unknown',
    message,
    sent: 'processed',
    attempts: 1,
    ...(detail
      ? {
          reason: detail.reason,
          retryable: detail.retryable,
          details: detailsOf(detail),
          requestId: detail.requestId || undefined
        }
      : {})
  })
}
