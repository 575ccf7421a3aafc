import type { BlobwireError } from '../core/error.ts'
import type { RetryBudget } from './budget.ts'
import type { ResolvedRetryOptions } from './options.ts'
import { backoffMs, isRetryable } from './rules.ts'

/** What is asked after a failure. */
export interface Failed {
  readonly error: BlobwireError
  /** Failures so far, this one included. */
  readonly failures: number
  /** What is left of the call's time, in milliseconds. */
  readonly remainingMs: number
  /** The next attempt goes to another endpoint. */
  readonly elsewhere?: boolean
  /** …and need not wait. */
  readonly atOnce?: boolean
}

/** Why there is no further attempt: this error is the end, or the budget is spent. */
export type RetryRefusal = 'not_retryable' | 'retry_budget_exhausted'

/** Decides after each failure whether there is another attempt, and when. One for each client, because its budget is. */
export class RetryPolicy {
  readonly #options: ResolvedRetryOptions
  readonly #budget: RetryBudget
  readonly #random: () => number

  constructor(options: ResolvedRetryOptions, budget: RetryBudget, random: () => number) {
    this.#options = options
    this.#budget = budget
    this.#random = random
  }

  /** Milliseconds to wait before the next attempt, which is then paid for; or why there is none. */
  after({ error, failures, remainingMs, elsewhere = false, atOnce = false }: Failed): number | RetryRefusal {
    if (failures >= this.#options.maxAttempts || !isRetryable(error)) return 'not_retryable'
    // What one endpoint asks for is nothing to another.
    const asked = elsewhere ? 0 : error.details.retryAfterMs
    const waitMs = atOnce ? 0 : backoffMs(failures, this.#options, this.#random, asked)
    // It would be over before it began: what is known now is the better answer.
    if (waitMs >= remainingMs) return 'not_retryable'
    if (!this.#budget.take()) return 'retry_budget_exhausted'
    // What never reached the server cost it nothing.
    if (error.sent === 'never') this.#budget.refund()
    return waitMs
  }
}
