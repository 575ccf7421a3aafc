/** The statistics of all clients of a registry. */
import type { ClientStats } from '../stats.ts'

/** Sums over all clients. */
export type StatsTotals = Pick<
  ClientStats,
  | 'calls'
  | 'failures'
  | 'attempts'
  | 'retries'
  | 'hedges'
  | 'timeouts'
  | 'requests'
  | 'sessions'
  | 'frames'
  | 'framedOperations'
  | 'resent'
  | 'bytesSent'
  | 'bytesReceived'
  | 'running'
  | 'waiting'
  | 'breakerOpenings'
>

/** The statistics of a registry. */
export interface RegistryStats<Name extends string = string> {
  /** The clients that were made so far, by name. */
  clients: { [Key in Name]?: ClientStats }
  /** Sums over these clients. */
  totals: StatsTotals
}

const none: StatsTotals = {
  calls: 0,
  failures: 0,
  attempts: 0,
  retries: 0,
  hedges: 0,
  timeouts: 0,
  requests: 0,
  sessions: 0,
  frames: 0,
  framedOperations: 0,
  resent: 0,
  bytesSent: 0,
  bytesReceived: 0,
  running: 0,
  waiting: 0,
  breakerOpenings: 0
}

/** The sums over clients. */
export function totalsOf(stats: readonly ClientStats[]): StatsTotals {
  const totals = { ...none }
  for (const each of stats) {
    for (const key of Object.keys(none) as (keyof StatsTotals)[]) totals[key] += each[key]
  }
  return totals
}
