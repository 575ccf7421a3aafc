/** What a channel measures for its adaptive limits; a channel without them measures nothing. */
import type { Clock } from '../core/clock.ts'
import type { BlobwireError } from '../core/error.ts'
import { mayRetry, ruleOf } from '../core/reasons.ts'
import type { ResolvedAdaptiveOptions } from '../options/types.ts'
import { AdaptiveTimeout } from './adaptive-timeout.ts'
import type { ClassedCall } from './call-classes.ts'
import { ConcurrencyLimit, type LimitBounds } from './concurrency-limit.ts'
import type { Outcome } from './outcome.ts'

/** The end of an attempt, as the limits see it. */
export type Ending = 'answered' | 'late' | 'refused' | 'none'

/** The end of an attempt that failed. */
export function endingOf(error: BlobwireError, outcome: Outcome): Ending {
  if (error.is('attempt_timeout')) return 'late'
  const { code, reason, sent } = error
  // A deadline of one call proves something only where the endpoint was silent.
  if (code === 'deadline_exceeded' && outcome === 'failure') return 'refused'
  if (code === 'resource_exhausted' && mayRetry(error) && !ruleOf(code, reason).split) return 'refused'
  return sent === 'processed' ? 'answered' : 'none'
}

/** Everything that the limits are made from. */
export interface AdaptiveLimitsContext {
  readonly clock: Clock
  readonly options: ResolvedAdaptiveOptions
  readonly bounds: LimitBounds
  readonly random: () => number
  /** The limit on attempts has changed. */
  readonly onChange: () => void
}

export class AdaptiveLimits {
  readonly timeout: AdaptiveTimeout | undefined
  readonly concurrency: ConcurrencyLimit | undefined

  /** Goes on from `before`, where that has measured the same. */
  constructor(
    wanted: { timeout: boolean; concurrency: boolean },
    context: AdaptiveLimitsContext,
    before?: AdaptiveLimits | undefined
  ) {
    const { clock, options, bounds } = context
    if (wanted.timeout) this.timeout = before?.timeout ?? new AdaptiveTimeout(clock, options)
    if (wanted.concurrency) this.concurrency = before?.concurrency ?? new ConcurrencyLimit(clock, context)
    if (this.concurrency) this.concurrency.bounds = bounds
    if (this.timeout) this.timeout.options = options
  }

  /** An attempt that began then has ended; `inFlight` = attempts under way, this one included. */
  ended(call: ClassedCall, ending: Ending, facts: { beganAtMs: number; inFlight: number }): void {
    if (ending === 'none') return
    if (ending === 'answered') this.timeout?.answered(call, facts.beganAtMs)
    else if (ending === 'late') this.timeout?.late(call, facts.beganAtMs)
    this.concurrency?.ended(call, ending === 'answered' ? 'answered' : 'overload', facts)
  }
}
