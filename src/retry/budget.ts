import type { Clock } from '../core/clock.ts'

/** What retries may cost. */
export interface RetryBudgetOptions {
  /**
   * Share of the calls that may be tried again.
   * @default 0.2
   */
  budgetRatio?: number | undefined
  /**
   * Retries that are allowed each second besides, so that a client with few calls can retry at all.
   * @default 10
   */
  budgetPerSecond?: number | undefined
}

/** Seconds whose allowance can be saved up. */
const savedSeconds = 10

/**
 * One budget for all retries of a client: when a server is in trouble, retries must not multiply its load.
 *
 * A bucket of tokens. A retry takes one. Each call puts `ratio` of a token in, and each second `perSecond`. The bucket
 * holds what ten seconds bring, `10 * perSecond`, or `ratio` of the calls of the last ten seconds if that is more; it
 * begins full. (The rule of Finagle's `RetryBudget`, with a bucket that leaks at the rim instead of expiring tokens.)
 */
export class RetryBudget {
  readonly #clock: Clock
  readonly #ratio: number
  readonly #perSecond: number
  #tokens: number
  #filledAtMs: number
  /** Calls of this ten seconds and of those before, for the size of the bucket. */
  #calls = 0
  #callsBefore = 0
  #windowAtMs: number

  constructor(clock: Clock, { budgetRatio, budgetPerSecond }: { budgetRatio: number; budgetPerSecond: number }) {
    this.#clock = clock
    this.#ratio = budgetRatio
    this.#perSecond = budgetPerSecond
    this.#tokens = budgetPerSecond * savedSeconds
    this.#filledAtMs = clock.now()
    this.#windowAtMs = this.#filledAtMs
  }

  /** A call has begun. Counted only: what it brings is added when a retry asks. */
  called(): void {
    this.#calls++
    this.#tokens += this.#ratio
  }

  /** Takes what one retry costs. False = there is not enough, and nothing was taken. */
  take(): boolean {
    this.#fill()
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  /** Takes it whether or not it is there: something was sent again that nobody asked about. */
  charge(): void {
    this.#fill()
    this.#tokens = Math.max(0, this.#tokens - 1)
  }

  /** Gives back what was taken for an attempt that the server never saw. */
  refund(): void {
    this.#tokens++
  }

  #fill(): void {
    const now = this.#clock.now()
    this.#tokens += ((now - this.#filledAtMs) / 1000) * this.#perSecond
    this.#filledAtMs = now
    const windows = (now - this.#windowAtMs) / (savedSeconds * 1000)
    if (windows >= 1) {
      this.#callsBefore = windows < 2 ? this.#calls : 0
      this.#calls = 0
      this.#windowAtMs = now
    }
    const recent = Math.max(this.#calls, this.#callsBefore)
    this.#tokens = Math.min(this.#tokens, Math.max(this.#perSecond * savedSeconds, recent * this.#ratio))
  }
}
