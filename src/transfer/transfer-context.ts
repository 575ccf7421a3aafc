import type { TransportSelector } from '../balance/transport-selector.ts'
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import type { Work } from '../platform/platform.ts'
import type { RetryPolicy } from '../retry/policy.ts'
import type { Waits } from '../retry/retrier-context.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

/** Shared by all transfers of a client. */
export interface TransferContext {
  readonly clock: Clock
  readonly counters: Counters
  readonly telemetry: Telemetry
  readonly selector: TransportSelector
  readonly policy: RetryPolicy
  readonly waits: Waits
  /** Told while transfers are under way. */
  readonly work: Work
}
