import { BlobwireError } from '../core/error.ts'
import { mayRetry } from '../core/reasons.ts'
import { methods } from '../schema/methods.ts'
import type { OperationName } from './inputs.ts'
import type { OperationResult } from './results.ts'
import type { Request } from './to-request.ts'

/** An operation with what came of it. */
export interface SettledOperation {
  readonly name: OperationName
  readonly request: Request<OperationName>
  readonly result: OperationResult<object> | undefined
}

/**
 * What is to be sent again, in its order, so that each result is what it would have been had nothing failed:
 *
 * - where the order does not matter, what failed and may succeed;
 * - otherwise all that failed from there on, and the reads, which have not seen what failed before them;
 * - of an atomic batch, which has done nothing then, all of it.
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
