/**
 * A time limit of attempts that follows the endpoint's own answers (`attemptTimeoutMs: 'adaptive'`): a high percentile of
 * their time, times a factor, by class of calls.
 *
 * Attempts that end at the limit are no measurements: how long their answers would have taken is unknown. As a
 * retransmission timer does (RFC 6298 sections 3 and 5, Karn's algorithm), the limit is doubled for each of them, once for
 * those that were under way together, and comes down again when answers fit into half of it. So an endpoint that has
 * become slow is found out in a few attempts, and one that was silent leaves no trace in the percentile.
 */
import type { Clock } from '../core/clock.ts'
import type { ResolvedAdaptiveOptions } from '../options/types.ts'
import { CallClasses, type ClassedCall } from './call-classes.ts'
import { RecentLatency } from './recent-latency.ts'

/** Answers without which there is no percentile. */
const leastAnswers = 20
/** The percentile is taken again after so many answers. */
const refreshAnswers = 32
/** Answers in a row that fit into half of a doubled limit; then it is halved. */
const fittingAnswers = 10

interface ClassState {
  readonly latency: RecentLatency
  /** Percentile times factor, within its bounds. */
  baseMs: number
  /** Times that it is doubled. */
  doublings: number
  doubledAtMs: number
  fitting: number
  /** Answers since the percentile was taken. */
  fresh: number
}

export class AdaptiveTimeout {
  readonly #clock: Clock
  options: ResolvedAdaptiveOptions
  readonly #classes: CallClasses<ClassState>

  constructor(clock: Clock, options: ResolvedAdaptiveOptions) {
    this.#clock = clock
    this.options = options
    this.#classes = new CallClasses(() => ({
      latency: new RecentLatency(clock.now()),
      baseMs: options.mostTimeoutMs,
      doublings: 0,
      doubledAtMs: Number.NEGATIVE_INFINITY,
      fitting: 0,
      fresh: 0
    }))
  }

  /** Milliseconds for an attempt of the call that begins now. */
  limitMs(call: ClassedCall): number {
    return this.#limitOf(this.#classes.of(call))
  }

  /** An attempt that began then was answered. */
  answered(call: ClassedCall, beganAtMs: number): void {
    const state = this.#classes.of(call)
    const now = this.#clock.now()
    const durationMs = now - beganAtMs
    state.latency.record(now, durationMs)
    if (++state.fresh >= refreshAnswers || state.latency.count === leastAnswers) this.#refresh(state)
    if (state.doublings === 0) return
    const fits = durationMs <= this.#limitOf(state) / 2
    state.fitting = fits ? state.fitting + 1 : 0
    if (state.fitting < fittingAnswers) return
    state.doublings--
    state.fitting = 0
  }

  /** An attempt that began then has ended at its limit. */
  late(call: ClassedCall, beganAtMs: number): void {
    const state = this.#classes.of(call)
    if (beganAtMs < state.doubledAtMs || this.#limitOf(state) >= this.options.mostTimeoutMs) return
    state.doublings++
    state.doubledAtMs = this.#clock.now()
    state.fitting = 0
  }

  /** The limits by method; of several classes of one method, the longest. */
  limits(): Record<string, number> {
    const limits: Record<string, number> = {}
    for (const [{ name }, state] of this.#classes.entries()) {
      limits[name] = Math.max(limits[name] ?? 0, this.#limitOf(state))
    }
    return limits
  }

  #limitOf({ baseMs, doublings }: ClassState): number {
    return Math.min(this.options.mostTimeoutMs, baseMs * 2 ** doublings)
  }

  #refresh(state: ClassState): void {
    state.fresh = 0
    if (state.latency.count < leastAnswers) return
    const { percentile, factor, leastTimeoutMs, mostTimeoutMs } = this.options
    const wanted = state.latency.percentileMs(percentile) * factor
    state.baseMs = Math.min(mostTimeoutMs, Math.max(leastTimeoutMs, Math.ceil(wanted)))
  }
}
