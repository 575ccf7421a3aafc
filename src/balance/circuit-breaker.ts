/** The circuit breaker of one endpoint. */
import type { Clock } from '../core/clock.ts'
import type { ResolvedBreakerOptions } from '../options/types.ts'
import type { Outcome } from './outcome.ts'

/** The right to one attempt. It goes back to `record`, once. */
export type Permit = number

/** Distinct failures without which the share does not open it. */
const leastDistinct = 3
/** The time for which a breaker is open is up to this share shorter, so that clients do not all probe together. */
const jitter = 0.2

/** Attempts of one half of the window; there are two halves, so that old attempts leave it. */
interface Half {
  attempts: number
  failed: number
  /** Failures of attempts that began after the failure before. */
  distinct: number
}

const emptyHalf = (): Half => ({ attempts: 0, failed: 0, distinct: 0 })

/**
 * Closed, open, or half open with exactly one probe. The breaker is a counter: an attempt that passes makes no object
 * and sets no timer.
 *
 * Attempts that were under way together and fail together tell one fact, not many: a connection that breaks under 256
 * calls is one failure. So an attempt counts towards the failures in a row only if it began after the last counted
 * failure, and the ratio alone does not open the breaker without a few such failures.
 */
export class CircuitBreaker {
  readonly #clock: Clock
  readonly #options: ResolvedBreakerOptions
  readonly #random: () => number
  #state: 'closed' | 'open' | 'half_open' = 'closed'
  /** Grows with each change of state, so that late outcomes of an earlier state are told apart. */
  #generation = 0
  /** When an open breaker gives the permit of a probe. */
  #probeAtMs = 0
  /** When the breaker opened, or opened again after a probe. */
  openedAtMs = 0
  /** Openings since the breaker was last closed. */
  #openingsInRow = 0
  #inRow = 0
  #countedAtMs = Number.NEGATIVE_INFINITY
  #half = emptyHalf()
  #halfBefore = emptyHalf()
  #halfBeganMs: number
  /** Times the breaker opened. */
  openings = 0
  /** Times a probe closed it. */
  closings = 0
  /** Called after each change of state. */
  onChange: (() => void) | undefined
  /** Called when the breaker has opened, again or at first, and when it has closed. */
  onState: ((state: 'closed' | 'open') => void) | undefined

  constructor(clock: Clock, options: ResolvedBreakerOptions, random: () => number) {
    this.#clock = clock
    this.#options = options
    this.#random = random
    this.#halfBeganMs = clock.now()
  }

  /** `open` becomes `half_open` when an attempt gets the permit of the probe. */
  get state(): 'closed' | 'open' | 'half_open' {
    return this.#state
  }

  /** Whether an attempt would get a permit now. */
  get admits(): boolean {
    if (this.#state === 'closed') return true
    return this.#state === 'open' && this.#clock.now() >= this.#probeAtMs
  }

  /** Milliseconds until a probe gets a permit; 0 = now, or the probe is under way. */
  get waitMs(): number {
    if (this.#state !== 'open') return 0
    return Math.max(0, this.#probeAtMs - this.#clock.now())
  }

  /** A permit for one attempt; undefined = the breaker refuses it. */
  tryAcquire(): Permit | undefined {
    if (this.#state === 'closed') return this.#generation
    if (!this.admits) return undefined
    this.#change('half_open')
    return this.#generation
  }

  /** The attempt has ended. `beganAtMs` is the clock's time at `tryAcquire`. */
  record(permit: Permit, outcome: Outcome, beganAtMs: number): void {
    // The attempt began before the state last changed: its outcome tells of a time that is over.
    if (permit !== this.#generation) return
    if (this.#state === 'half_open') return this.#recordProbe(outcome)
    if (outcome === 'none') return
    if (outcome === 'failure') return this.#recordFailure(beganAtMs)
    this.#half.attempts++
    this.#inRow = 0
  }

  /** The endpoint takes connections: where the breaker is open, the next attempt is the probe. */
  reached(): void {
    if (this.#state !== 'open') return
    this.#probeAtMs = this.#clock.now()
    this.onChange?.()
  }

  /** Closes the breaker and forgets all failures; attempts that are under way tell nothing any more. */
  reset(): void {
    this.#openingsInRow = 0
    const wasClosed = this.#state === 'closed'
    this.#change('closed')
    if (!wasClosed) this.onState?.('closed')
  }

  #recordFailure(beganAtMs: number): void {
    const now = this.#clock.now()
    this.#advanceWindow(now)
    this.#half.attempts++
    this.#half.failed++
    if (beganAtMs >= this.#countedAtMs) {
      this.#countedAtMs = now
      this.#half.distinct++
      this.#inRow++
    }
    if (this.#inRow >= this.#options.failures || this.#isBad()) this.#open()
  }

  #recordProbe(outcome: Outcome): void {
    if (outcome === 'success') {
      this.closings++
      this.#openingsInRow = 0
      this.#change('closed')
      this.onState?.('closed')
    } else if (outcome === 'failure') {
      this.#open()
    } else {
      // The probe tells nothing: the next attempt is the probe.
      this.#change('open')
    }
  }

  #open(): void {
    const { firstOpenMs, openMs } = this.#options
    const ms = Math.min(openMs, firstOpenMs * 2 ** this.#openingsInRow++)
    this.openedAtMs = this.#clock.now()
    this.#probeAtMs = this.openedAtMs + ms * (1 - jitter * this.#random())
    this.openings++
    this.#change('open')
    this.onState?.('open')
  }

  #change(state: 'closed' | 'open' | 'half_open'): void {
    this.#state = state
    this.#generation++
    this.#inRow = 0
    this.#half = emptyHalf()
    this.#halfBefore = emptyHalf()
    this.#countedAtMs = Number.NEGATIVE_INFINITY
    this.onChange?.()
  }

  /** Begins the next half of the window when this one is over. Only failures ask, so that success costs nothing. */
  #advanceWindow(now: number): void {
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
