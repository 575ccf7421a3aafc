/** Decides which operations of a batch are sent again. */
import { BlobwireError } from '../core/error.ts'
import { mayRetry } from '../core/reasons.ts'
import { methods } from '../schema/methods.ts'
import type { Request } from './blob-requests.ts'
import type { OperationName } from './operations.ts'
import type { OperationResult } from './results.ts'

/** An operation with its result. */
export interface SettledOperation {
  readonly name: OperationName
  readonly request: Request<OperationName>
  readonly result: OperationResult<object> | undefined
}

/**
 * The operations to send again, in order, so that each gets the result that it would have without failures:
 *
 * - where the order does not matter: the failed ones that are retryable;
 * - otherwise: from the first of these on, all failed ones, and the reads, which missed the effects of failed ones;
 * - of an atomic batch, which had no effect: all.
 */
export function operationsToRetry<Item extends SettledOperation>(
  run: readonly Item[],
  rules: { atomic: boolean; unordered: boolean }
) {
  const first = run.findIndex(({ result }) => isRetryable(result?.error))
  if (first < 0) return []
  if (rules.unordered) return run.filter(({ result }) => isRetryable(result?.error))
  if (rules.atomic) return [...run]
  return run.filter(
    ({ name, result }, index) => index >= first && (result?.error !== undefined || methods[name].readOnly)
  )
}

/** Whether an operation that failed with the error may be sent again. */
export function isRetryable(error: unknown): error is BlobwireError {
  return error instanceof BlobwireError && mayRetry(error)
}
