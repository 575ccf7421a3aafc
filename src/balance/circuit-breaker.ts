import type { Clock } from '../core/clock.ts'

/** When an endpoint is left alone. */
export interface BreakerOptions {
  /**
   * Failures in a row that open it.
   * @default 5
   */
  failures?: number | undefined
  /**
   * Share of failed attempts within `windowMs` that opens it, above 0; it needs at least `minimumAttempts`.
   * @default 0.5
   */
  ratio?: number | undefined
  /**
   * Attempts within `windowMs` below which the share says nothing.
   * @default 20
   */
  minimumAttempts?: number | undefined
  /**
   * Time over which the share is taken, in milliseconds.
   * @default 10000
   */
  windowMs?: number | undefined
  /**
   * How long calls are refused before one is let through as a probe, in milliseconds.
   * @default 60000
   */
  openMs?: number | undefined
}

/** The options with every default in place. */
export type ResolvedBreakerOptions = { readonly [Key in keyof BreakerOptions]-?: NonNullable<BreakerOptions[Key]> }

/** What an attempt says of its endpoint; `none` = nothing, it was aborted or refused for a reason of its own. */
export type Outcome = 'success' | 'failure' | 'none'

/** Shows who was let in; `refused` = nobody. */
export const noPermit = -1

/** Distinct failures without which the share does not open it. */
const leastDistinct = 3

/** What one half of the window saw; there are two, so that old attempts leave it. */
interface Half {
  attempts: number
  failed: number
  /** Failures of attempts that began after the failure before. */
  distinct: number
}

const emptyHalf = (): Half => ({ attempts: 0, failed: 0, distinct: 0 })

/**
 * A circuit breaker for one endpoint: closed, open, or half open with exactly one probe. It is a counter; letting a call
 * in and out makes no object and sets no timer.
 *
 * Attempts that were under way together and fail together tell one fact, not many: a connection that breaks under 256
 * calls is one failure. So an attempt counts towards the failures in a row only if it began after the last one counted,
 * and the ratio alone does not open it without a few such failures.
 */
export class CircuitBreaker {
  readonly #clock: Clock
  readonly #options: ResolvedBreakerOptions
  #state: 'closed' | 'open' | 'half_open' = 'closed'
  /** Changes with the state, so that results of attempts from before are known for what they are. */
  #generation = 0
  #openedAtMs = 0
  #inRow = 0
  #countedAtMs = Number.NEGATIVE_INFINITY
  #half = emptyHalf()
  #halfBefore = emptyHalf()
  #halfBeganMs: number
  /** How often it opened. */
  openings = 0
  /** How often a probe has closed it. */
  closings = 0

  constructor(clock: Clock, options: ResolvedBreakerOptions) {
    this.#clock = clock
    this.#options = options
    this.#halfBeganMs = clock.now()
  }

  /** `open` becomes `half_open` when a call is let in as the probe. */
  get state(): 'closed' | 'open' | 'half_open' {
    return this.#state
  }

  /** Whether a call would be let in now. */
  get admits(): boolean {
    if (this.#state === 'closed') return true
    return this.#state === 'open' && this.#clock.now() >= this.#openedAtMs + this.#options.openMs
  }

  /** Milliseconds until a probe is let in; 0 = now, or it is on its way. */
  get waitMs(): number {
    if (this.#state !== 'open') return 0
    return Math.max(0, this.#openedAtMs + this.#options.openMs - this.#clock.now())
  }

  /** Lets an attempt in, or not (`refused`). What is returned goes back to `leave`, once. */
  tryAcquire(): number {
    if (this.#state === 'closed') return this.#generation
    if (!this.admits) return noPermit
    this.#change('half_open')
    return this.#generation
  }

  /** The attempt has ended. `beganAtMs` is the clock's time at `enter`. */
  record(permit: number, outcome: Outcome, beganAtMs: number): void {
    // It began before the state last changed: it tells of a time that is over.
    if (permit !== this.#generation) return
    if (this.#state === 'half_open') return this.#probed(outcome)
    if (outcome === 'none') return
    if (outcome === 'failure') return this.#failed(beganAtMs)
    this.#half.attempts++
    this.#inRow = 0
  }

  #failed(beganAtMs: number): void {
    const now = this.#clock.now()
    this.#turn(now)
    this.#half.attempts++
    this.#half.failed++
    if (beganAtMs >= this.#countedAtMs) {
      this.#countedAtMs = now
      this.#half.distinct++
      this.#inRow++
    }
    if (this.#inRow >= this.#options.failures || this.#isBad()) this.#open()
  }

  #probed(outcome: Outcome): void {
    if (outcome === 'success') {
      this.#change('closed')
      this.closings++
    } else if (outcome === 'failure') {
      this.#open()
    } else {
      // It says nothing: the next call is the probe.
      this.#change('open')
    }
  }

  #open(): void {
    this.#change('open')
    this.#openedAtMs = this.#clock.now()
    this.openings++
  }

  #change(state: 'closed' | 'open' | 'half_open'): void {
    this.#state = state
    this.#generation++
    this.#inRow = 0
    this.#half = emptyHalf()
    this.#halfBefore = emptyHalf()
    this.#countedAtMs = Number.NEGATIVE_INFINITY
  }

  /** Begins the next half of the window when this one is over. Only failures ask, so that success costs nothing. */
  #turn(now: number): void {
    const lengthMs = this.#options.windowMs / 2
    const passed = (now - this.#halfBeganMs) / lengthMs
    if (passed < 1) return
    this.#halfBefore = passed < 2 ? this.#half : emptyHalf()
    this.#half = emptyHalf()
    this.#halfBeganMs = now
  }

  #isBad(): boolean {
    const { minimumAttempts, ratio } = this.#options
    const [now, before] = [this.#half, this.#halfBefore]
    const attempts = now.attempts + before.attempts
    if (attempts < minimumAttempts || now.distinct + before.distinct < leastDistinct) return false
    return (now.failed + before.failed) / attempts >= ratio
  }
}
