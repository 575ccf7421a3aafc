import type { Clock } from '../../core/clock.ts'
import type { Counters } from '../../core/counters.ts'
import type { AttemptSetting } from '../attempt.ts'
import type { Routes } from '../routes.ts'
import type { RetryBudget } from './budget.ts'
import type { RetryDecision } from './decision.ts'
import type { ResolvedRetryOptions } from './options.ts'

/** What retries stand on. */
export interface RetrierParts {
  readonly clock: Clock
  readonly counters: Counters
  readonly options: ResolvedRetryOptions
  /** False = no read is asked for twice at a time. */
  readonly hedge: { readonly delayMs: number } | false
  readonly budget: RetryBudget
  readonly routes: Routes
  readonly attempts: AttemptSetting
  readonly decision: RetryDecision
}
