/** The statistics of connections. */
import type { ConnectionCounters } from '../core/counters.ts'

/** Connections of a client, for `client.stats()`. */
export interface ConnectionStats extends ConnectionCounters {
  /** Connections that are open without a stream in flight. */
  idle: number
  /** Share of requests and sessions, from 0 to 1, that found a connection; frames of a session need none. */
  reuseRatio: number
}

/** The statistics that follow from the counters. Over HTTP/1.1 only connections are counted. */
export function connectionStats(counters: ConnectionCounters): ConnectionStats {
  const { open, inUse, opened, totalStreams } = counters
  const reuseRatio = totalStreams === 0 ? 0 : Math.max(0, 1 - opened / totalStreams)
  return { ...counters, idle: Math.max(0, open - inUse), reuseRatio }
}
