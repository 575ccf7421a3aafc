import { branchRef } from '../git/ref-name.ts'
import { isRetryable } from '../pipeline/retry/rules.ts'
import { methods } from '../schema/methods.ts'
import type { OperationName, OperationResult } from './inputs.ts'
import type { Request } from './operations.ts'

/** An operation with what came of it. */
export interface Done {
  readonly name: OperationName
  readonly request: Request<OperationName>
  readonly result: OperationResult | undefined
}

/** Names of the refs that an operation moves. */
function refsOf({ name, request }: Done): string[] {
  if (name === 'commitFiles') return [branchRef((request as Request<'commitFiles'>).branch ?? '')]
  if (name !== 'updateRefs') return []
  return ((request as Request<'updateRefs'>).updates ?? []).map((update) => update.name ?? '')
}

/**
 * What is to be sent again, in its order, so that each result is what it would have been had nothing failed:
 *
 * - where the order does not matter, what failed and may succeed;
 * - otherwise all that failed from there on, and the reads, which have not seen what failed before them;
 * - of an atomic batch whose refs did not move, all of it.
 *
 * Nothing, where a later operation has moved a ref that would now be moved by an earlier one: a ref that is deleted and
 * then created is not what was asked for. The errors stand, and the caller decides.
 */
export function toSendAgain<Item extends Done>(run: readonly Item[], rules: { atomic: boolean; unordered: boolean }) {
  const first = run.findIndex(({ result }) => result?.error !== undefined && isRetryable(result.error))
  if (first < 0) return []
  if (rules.unordered) return run.filter(({ result }) => isRetryable(result?.error))
  const hasMoved = (item: Item) => item.result?.error === undefined && refsOf(item).length > 0
  if (rules.atomic && !run.some(hasMoved)) return [...run]
  const again = run.filter(
    ({ name, result }, index) => index >= first && (result?.error !== undefined || methods[name].readOnly)
  )
  const waiting = new Set<string>()
  for (const item of run.slice(first)) {
    const refs = refsOf(item)
    if (!hasMoved(item)) for (const ref of refs) waiting.add(ref)
    else if (refs.some((ref) => waiting.has(ref))) return []
  }
  return again
}
