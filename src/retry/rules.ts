import { BlobwireError } from '../core/error.ts'

/** Refusals of this client's own: asking again at once would only be refused again. */
const ownRefusals = new Set(['circuit_open', 'queue_full', 'retry_budget_exhausted', 'client_closed'])

/**
 * Whether the same call may be sent again. What the error says of itself decides: the server, or the table that made an
 * error of a status or an errno, knows; by default only `unavailable` is. Every operation may be sent twice: objects are
 * named by their content, and a compare-and-swap that finds its new value there has succeeded.
 */
export function isRetryable(error: unknown): error is BlobwireError {
  return error instanceof BlobwireError && error.retryable && !ownRefusals.has(error.reason)
}

/**
 * Milliseconds before the next attempt, with full jitter: anything from 0 to the cap that doubles with each attempt, so
 * that clients that failed together do not come back together ("Exponential Backoff And Jitter", AWS Architecture Blog,
 * 2015). `failures` = attempts that have failed so far, 1 or more. What the server asked for comes on top.
 */
export function backoffMs(
  failures: number,
  { baseMs, maxMs }: { baseMs: number; maxMs: number },
  random: () => number,
  retryAfterMs = 0
): number {
  return retryAfterMs + random() * Math.min(maxMs, baseMs * 2 ** (failures - 1))
}
