import type { TransportSelector } from '../balance/transport-selector.ts'
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import type { AttemptContext } from './attempt.ts'
import type { RetryBudget } from './budget.ts'
import type { ResolvedRetryOptions } from './options.ts'
import type { RetryPolicy } from './policy.ts'

/** What retries stand on. */
export interface RetrierContext {
  readonly clock: Clock
  readonly counters: Counters
  readonly options: ResolvedRetryOptions
  /** False = no read is asked for twice at a time. */
  readonly hedge: { readonly delayMs: number } | false
  readonly budget: RetryBudget
  readonly selector: TransportSelector
  readonly attempts: AttemptContext
  readonly decision: RetryPolicy
}
