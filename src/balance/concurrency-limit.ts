/**
 * A limit on the attempts at one endpoint that follows the load it can take (`concurrency: 'adaptive'`).
 *
 * The rule is that of the gradient controller of Envoy's adaptive concurrency filter (envoyproxy.io, "Adaptive
 * Concurrency"), which is Netflix's `GradientLimit` (github.com/Netflix/concurrency-limits) with a baseline that is
 * measured: after each window of samples,
 *
 *     gradient = (baseline + tolerance) / latency, from 0.5 to 2
 *     limit    = gradient * limit + sqrt(limit)
 *
 * where the baseline is the latency while hardly anything is under way. Netflix's `Gradient2Limit` takes a long average
 * for the baseline instead, which an overload that stays raises with it, until the limit is at its maximum. Departures:
 *
 * - The latency is compared by class of calls, and the mean of the comparisons counts: a commit among reads is no overload.
 * - While the baseline is measured, calls wait; Envoy refuses them.
 * - Refusals for overload and time-outs take a tenth of the limit in each window (AIMD): their latency tells nothing.
 * - A limit that is not used does not grow (RFC 7661), and samples are of attempts that began in their window, which lasts
 *   a round trip at least.
 */
import type { Clock } from '../core/clock.ts'
import { CallClasses, type ClassedCall } from './call-classes.ts'

/** Least time and number of samples of a window. */
const windowMs = 100
const windowSamples = 10
/** The limit after the first measurement of the baseline. */
const firstLimit = 20
/** Latency may be this much above the baseline: a share of it, and the noise of timers and event loops. */
const toleranceRatio = 0.25
const toleranceMs = 1
/** A sample is at most this many times the baseline, so that one outlier does not decide. */
const mostSlowness = 4
const leastGradient = 0.5
const mostGradient = 2
/** What is left of the limit after a window with refusals or time-outs. */
const afterRefusals = 0.9
/** The baseline is measured again after this long, up to a tenth earlier or later, and at most a twentieth of the time. */
const baselineMs = 60_000
const jitter = 0.2
const measuringShare = 20
/** Windows in a row at the least limit, after which the baseline is suspected to be of another time. */
const suspectWindows = 5
/** Samples of a class in one window, for its mean to lower the baseline. */
const baselineSamples = 5

interface ClassState {
  /** Milliseconds; undefined before the first window with samples. */
  baseline: number | undefined
  samples: number
  sumMs: number
}

/** The bounds of the limit. */
export interface LimitBounds {
  readonly leastCalls: number
  readonly maxCalls: number
}

/** Everything that a limit is made from, besides its clock. */
export interface ConcurrencyLimitContext {
  readonly bounds: LimitBounds
  /** From 0 up to 1. */
  readonly random: () => number
  readonly onChange: () => void
}

/** How an attempt ended: with an answer; refused for overload, or without an answer in time. */
export type LimitSample = 'answered' | 'overload'

export class ConcurrencyLimit {
  readonly #clock: Clock
  bounds: LimitBounds
  readonly #random: () => number
  readonly #onChange: () => void
  readonly #classes = new CallClasses<ClassState>(() => ({ baseline: undefined, samples: 0, sumMs: 0 }))
  /** While the baseline is measured, the limit is the least; this is the one that comes after. */
  #limit = firstLimit
  #isMeasuring = true
  #measureAtMs = 0
  #windowBeganMs: number
  #samples = 0
  #hadOverload = false
  #peak = 0
  #latencyMs = 0
  #windowsAtLeast = 0

  constructor(clock: Clock, { bounds, random, onChange }: ConcurrencyLimitContext) {
    this.#clock = clock
    this.bounds = bounds
    this.#random = random
    this.#onChange = onChange
    this.#windowBeganMs = clock.now()
  }

  /** Attempts that may be under way. */
  get limit(): number {
    return this.#isMeasuring ? Math.min(this.bounds.maxCalls, this.bounds.leastCalls) : this.usual
  }

  /** The limit without the measurements of the baseline, which are short. */
  get usual(): number {
    const { leastCalls, maxCalls } = this.bounds
    return Math.min(maxCalls, Math.max(leastCalls, Math.floor(this.#limit)))
  }

  /** An attempt has ended that began then; `inFlight` = attempts under way, this one included. */
  ended(
    call: ClassedCall,
    sample: LimitSample,
    { beganAtMs, inFlight }: { beganAtMs: number; inFlight: number }
  ): void {
    const now = this.#clock.now()
    this.#peak = Math.max(this.#peak, inFlight)
    // What began before the window tells of the limit before.
    if (beganAtMs < this.#windowBeganMs) return
    if (sample === 'overload') this.#hadOverload = true
    else {
      const state = this.#classes.of(call)
      state.samples++
      state.sumMs += now - beganAtMs
      this.#samples++
    }
    const isLong = now - this.#windowBeganMs >= Math.max(windowMs, this.#latencyMs)
    if (isLong && (this.#samples >= windowSamples || (this.#hadOverload && !this.#isMeasuring))) this.#endWindow(now)
  }

  #endWindow(now: number): void {
    const { leastCalls } = this.bounds
    const before = this.limit
    const isQuiet = this.#peak <= leastCalls && (before > leastCalls || this.#windowsAtLeast >= suspectWindows)
    const isBaseline = this.#isMeasuring || isQuiet
    const slowness = this.#compare(isBaseline)
    if (!this.#isMeasuring) this.#follow(slowness)
    if (isBaseline) this.#measured(now)
    else if (now >= this.#measureAtMs) this.#isMeasuring = true
    this.#windowsAtLeast = isBaseline || this.limit > leastCalls ? 0 : this.#windowsAtLeast + 1
    this.#windowBeganMs = now
    this.#samples = 0
    this.#hadOverload = false
    this.#peak = 0
    if (this.limit !== before) this.#onChange()
  }

  /** The mean of the samples, each as a multiple of what its class may take; with `isBaseline`, they are the baseline. */
  #compare(isBaseline: boolean): number {
    let sum = 0
    let sumMs = 0
    for (const [, state] of this.#classes.entries()) {
      const { samples, baseline } = state
      if (samples === 0) continue
      const mean = state.sumMs / samples
      const isLower = baseline === undefined || (mean < baseline && samples >= baselineSamples)
      if (isBaseline || isLower) state.baseline = mean
      const allowed = (state.baseline as number) * (1 + toleranceRatio) + toleranceMs
      sum += samples * Math.min(mostSlowness, mean / allowed)
      sumMs += state.sumMs
      state.samples = 0
      state.sumMs = 0
    }
    if (this.#samples === 0) return 1
    this.#latencyMs = sumMs / this.#samples
    return sum / this.#samples
  }

  #measured(now: number): void {
    const tookMs = now - this.#windowBeganMs
    const intervalMs = Math.max(baselineMs, this.#isMeasuring ? tookMs * measuringShare : 0)
    this.#measureAtMs = now + intervalMs * (1 + jitter * (this.#random() - 0.5))
    this.#isMeasuring = false
  }

  #follow(slowness: number): void {
    const { leastCalls, maxCalls } = this.bounds
    const gradient = Math.min(mostGradient, Math.max(leastGradient, 1 / slowness))
    let next = this.#limit * gradient + Math.sqrt(this.#limit)
    if (this.#hadOverload) next = Math.min(next, this.#limit * afterRefusals)
    if (next > this.#limit && this.#peak < this.#limit / 2) next = this.#limit
    this.#limit = Math.min(maxCalls, Math.max(leastCalls, next))
  }
}
