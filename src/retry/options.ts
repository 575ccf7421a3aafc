import type { RetryBudgetOptions } from './budget.ts'

/** How failed calls are sent again; see `ClientOptions.retry`. */
export interface RetryOptions extends RetryBudgetOptions {
  /**
   * Attempts of one call, the first included.
   * @default 3
   */
  maxAttempts?: number | undefined
  /**
   * Before the second attempt a call waits from 0 to this many milliseconds, and up to twice as long before each further one.
   * @default 100
   */
  baseMs?: number | undefined
  /**
   * Most milliseconds between two attempts, unless the server asks for more.
   * @default 20000
   */
  maxMs?: number | undefined
}

/** With every default in place. */
export type ResolvedRetryOptions = { readonly [Key in keyof RetryOptions]-?: NonNullable<RetryOptions[Key]> }
