/** The loop of attempts. */
import pRetry from 'p-retry'

/**
 * Calls `attempt` with 1, 2, …, until it succeeds, or `mayRepeat` says no to its error, which is then thrown. The counting
 * is the caller's, because a fallback to another transport does not count, and so is the waiting: on the client's clock,
 * with full jitter, and over at once when the call ends.
 */
export function repeat<Result>(
  attempt: (number: number) => Promise<Result>,
  mayRepeat: (error: Error) => Promise<boolean> | boolean
): Promise<Result> {
  return pRetry(attempt, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 0,
    shouldRetry: ({ error }) => mayRepeat(error)
  })
}
