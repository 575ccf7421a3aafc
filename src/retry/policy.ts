/** Decides after each failure whether a call gets another attempt, and when. */
import { hadNoConnection } from '../balance/outcome.ts'
import type { BlobwireError } from '../core/error.ts'
import { mayRetry } from '../core/reasons.ts'
import type { ResolvedRetryOptions } from '../options/types.ts'
import type { RetryBudget } from './budget.ts'

/** A call that has failed, as the policy sees it. */
export interface FailedCall {
  readonly error: BlobwireError
  /** Failures so far, this one included. */
  readonly failures: number
  /** Time left until the call's deadline, in milliseconds. */
  readonly remainingMs: number
  /** Most attempts of this call; undefined = the client's. */
  readonly maxAttempts?: number | undefined
  /** The next attempt goes to another endpoint. */
  readonly elsewhere?: boolean
  /** …and need not wait. */
  readonly atOnce?: boolean
}

/** Why there is no further attempt. */
export type RetryRefusal = 'not_retryable' | 'retry_budget_exhausted'

/** One for each client, because its budget is shared by all calls. */
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
  delayMs(failed: FailedCall): number | RetryRefusal {
    const { error, failures, remainingMs, maxAttempts, elsewhere = false, atOnce = false } = failed
    if (failures >= (maxAttempts ?? this.#options.maxAttempts) || !mayRetry(error)) return 'not_retryable'
    // A time that one endpoint asks for says nothing about another.
    const asked = elsewhere ? 0 : error.details.retryAfterMs
    const waitMs = atOnce ? 0 : backoffMs(failures, this.#options, this.#random, asked)
    // The deadline would end the attempt before it began: the error at hand is the better answer.
    if (waitMs >= remainingMs) return 'not_retryable'
    // An attempt that had no connection cost the server nothing.
    if (!hadNoConnection(error) && !this.#budget.take()) return 'retry_budget_exhausted'
    return waitMs
  }
}

/** The waits between attempts; see `RetryOptions`. */
interface Backoff {
  readonly baseMs: number
  readonly maxMs: number
  readonly factor?: number
  readonly jitter?: boolean
}

/**
 * Milliseconds before the next attempt, with full jitter: anything from 0 to the cap that grows with each attempt, so
 * that clients that failed together do not come back together ("Exponential Backoff And Jitter", AWS Architecture Blog,
 * 2015). `failures` = attempts that have failed so far, 1 or more. A time that the server asks for comes on top.
 */
export function backoffMs(
  failures: number,
  { baseMs, maxMs, factor = 2, jitter = true }: Backoff,
  random: () => number,
  retryAfterMs = 0
): number {
  return retryAfterMs + (jitter ? random() : 1) * Math.min(maxMs, baseMs * factor ** (failures - 1))
}
