/** Decides which operations of a batch are sent again. */
import { BlobwireError } from '../core/error.ts'
import { mayRetry } from '../core/reasons.ts'
import { branchRef } from '../git/ref-name.ts'
import { methods } from '../schema/methods.ts'
import type { OperationName } from './inputs.ts'
import type { OperationResult } from './results.ts'
import type { Request } from './to-request.ts'

/** An operation with its result. */
export interface SettledOperation {
  readonly name: OperationName
  readonly request: Request<OperationName>
  readonly result: OperationResult<object> | undefined
}

const movesRefs: ReadonlySet<OperationName> = new Set(['commitFiles', 'updateRefs'])

/** Names of the refs that an operation moves. */
function refsOf({ name, request }: Pick<SettledOperation, 'name' | 'request'>): string[] {
  if (name === 'commitFiles') return [branchRef((request as Request<'commitFiles'>).branch ?? '')]
  if (name !== 'updateRefs') return []
  return ((request as Request<'updateRefs'>).updates ?? []).map((update) => update.name ?? '')
}

/**
 * Splits a run before each second move of a ref. A request whose answer was lost is sent again, and can recognize its
 * move only while no later operation of the same request has moved the ref.
 */
export function splitRepeatedMoves<Item extends Pick<SettledOperation, 'name' | 'request'>>(
  run: readonly Item[]
): Item[][] {
  if (!run.some(({ name }) => movesRefs.has(name))) return [[...run]]
  const runs: Item[][] = [[]]
  let moved = new Set<string>()
  for (const item of run) {
    const refs = refsOf(item)
    if (refs.some((ref) => moved.has(ref))) {
      runs.push([])
      moved = new Set()
    }
    for (const ref of refs) moved.add(ref)
    runs.at(-1)?.push(item)
  }
  return runs
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
