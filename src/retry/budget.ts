/** One budget for all retries of a client: when a server is in trouble, retries must not multiply its load. */
import type { Clock } from '../core/clock.ts'
import type { ResolvedRetryOptions } from '../options/types.ts'

type BudgetRule = Pick<ResolvedRetryOptions, 'budgetRatio' | 'budgetPerSecond'>

/** Seconds whose allowance can be saved up. */
const savedSeconds = 10

/**
 * A bucket of tokens. A retry takes one. Each call puts `ratio` of a token in, and each second `perSecond`. The bucket
 * holds what ten seconds bring, `10 * perSecond`, or `ratio` of the calls of the last ten seconds if that is more; it
 * begins full. (The rule of Finagle's `RetryBudget`, with a bucket that leaks at the rim instead of expiring tokens.)
 */
export class RetryBudget {
  readonly #clock: Clock
  /** May change. */
  readonly #rule: BudgetRule
  #tokens: number
  #filledAtMs: number
  /** All calls so far. */
  readonly #countCalls: () => number
  /** `#countCalls` when the bucket was last filled, and when this ten seconds began. */
  #callsAtFill = 0
  #callsAtWindow = 0
  /** Calls of the ten seconds before. */
  #callsBefore = 0
  #windowAtMs: number

  /** `countCalls` gives the number of calls so far; it is asked only when a retry is, so that success costs nothing. */
  constructor(clock: Clock, rule: BudgetRule, countCalls: () => number) {
    this.#clock = clock
    this.#countCalls = countCalls
    this.#rule = rule
    this.#tokens = rule.budgetPerSecond * savedSeconds
    this.#filledAtMs = clock.now()
    this.#windowAtMs = this.#filledAtMs
  }

  /** Takes the tokens of so many retries. False = there are not as many. */
  take(count = 1): boolean {
    this.#fill()
    if (this.#tokens < count) return false
    this.#tokens -= count
    return true
  }

  /** Takes a token whether or not there is one: operations of a session that worked and broke are sent again unasked. */
  charge(): void {
    this.#fill()
    this.#tokens = Math.max(0, this.#tokens - 1)
  }

  /** Returns a token that was not used. */
  refund(): void {
    this.#tokens++
  }

  #fill(): void {
    const now = this.#clock.now()
    const calls = this.#countCalls()
    this.#tokens +=
      ((now - this.#filledAtMs) / 1000) * this.#rule.budgetPerSecond +
      (calls - this.#callsAtFill) * this.#rule.budgetRatio
    this.#filledAtMs = now
    this.#callsAtFill = calls
    const windows = (now - this.#windowAtMs) / (savedSeconds * 1000)
    if (windows >= 1) {
      this.#callsBefore = windows < 2 ? calls - this.#callsAtWindow : 0
      this.#callsAtWindow = calls
      this.#windowAtMs = now
    }
    const recent = Math.max(calls - this.#callsAtWindow, this.#callsBefore)
    this.#tokens = Math.min(
      this.#tokens,
      Math.max(this.#rule.budgetPerSecond * savedSeconds, recent * this.#rule.budgetRatio)
    )
  }
}
