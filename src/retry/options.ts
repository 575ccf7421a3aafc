import type { RetryBudgetOptions } from './budget.ts'

/** When and how often the client retries a failed call; see `ClientOptions.retry`. */
export interface RetryOptions extends RetryBudgetOptions {
  /**
   * Maximum number of attempts of one call, including the first. With the default, one more than the failures that open a
   * circuit breaker, a call outlasts a restart of its only server for at least `breaker.waitMs`: either the server is back
   * before the breaker opens, or the call waits for the breaker.
   * @default 6
   */
  maxAttempts?: number | undefined
  /**
   * Longest random wait before the second attempt, in milliseconds. It doubles with each further attempt.
   * @default 100
   */
  baseMs?: number | undefined
  /**
   * Longest wait between two attempts, in milliseconds, unless the server asks for a longer one.
   * @default 20000
   */
  maxMs?: number | undefined
}

/** With every default in place. */
export type ResolvedRetryOptions = { readonly [Key in keyof RetryOptions]-?: NonNullable<RetryOptions[Key]> }
