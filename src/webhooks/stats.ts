/** The figures of a sender. */
import type { ConnectionStats } from '../connection/stats.ts'
import type { LatencySummary } from '../core/latency.ts'

/** Figures of one destination. Counts are since the sender was made; what waits is that of the outbox. */
export interface WebhookDestinationStats {
  id: string
  /** Deliveries that wait, those under way included. */
  pending: number
  /** Dead letters that are kept. */
  dead: number
  /** Attempts under way. */
  inFlight: number
  attempts: number
  failedAttempts: number
  delivered: number
  /** Deliveries that were given up after an attempt. */
  givenUp: number
  /** State of the circuit breaker. */
  breaker: 'closed' | 'open' | 'half_open'
  /** Times the circuit breaker opened. */
  breakerOpenings: number
}

/** Figures of a sender; `stats()` makes them. */
export interface WebhookStats {
  /** Deliveries that wait for any destination, also for those that this sender does not know. */
  pending: number
  /** Dead letters that are kept. */
  dead: number
  /** Durations of the attempts that were answered. */
  latency: LatencySummary
  connections: ConnectionStats
  /** Times the outbox could not be read or written. */
  outboxFailures: number
  destinations: WebhookDestinationStats[]
}
