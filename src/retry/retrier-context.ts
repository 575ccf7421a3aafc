import type { TransportSelector } from '../balance/transport-selector.ts'
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import type { ResolvedRetryOptions } from '../options/types.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { AttemptContext } from './attempt.ts'
import type { RetryBudget } from './budget.ts'
import type { RetryPolicy } from './policy.ts'

/** Times that may change. */
export interface Waits {
  /** Milliseconds that a call waits for open breakers; see `BreakerOptions`. */
  readonly breakerWaitMs: number
}

/** Shared by all calls of a client on their way through retries. */
export interface RetrierContext {
  readonly clock: Clock
  readonly counters: Counters
  readonly telemetry: Telemetry
  readonly options: ResolvedRetryOptions
  /** Delay after which a slow read gets a second attempt; false = never. */
  readonly hedge: { readonly delayMs: number } | false
  readonly budget: RetryBudget
  readonly waits: Waits
  readonly selector: TransportSelector
  readonly attempts: AttemptContext
  readonly policy: RetryPolicy
}
