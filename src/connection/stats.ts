/** The statistics of connections. */
import type { ConnectionCounters } from '../core/counters.ts'

/** Counts of a client's connections. Over HTTP/1.1 only `opened`, `open` and `failures` are counted. */
export interface ConnectionStats extends ConnectionCounters {
  /** Open connections without a stream in flight. */
  idle: number
  /** Share of requests and sessions that used a connection already open, from 0 to 1. */
  reuseRatio: number
}

/** The statistics that follow from the counters. Over HTTP/1.1 only connections are counted. */
export function connectionStats(counters: ConnectionCounters): ConnectionStats {
  const { open, inUse, opened, totalStreams } = counters
  const reuseRatio = totalStreams === 0 ? 0 : Math.max(0, 1 - opened / totalStreams)
  return { ...counters, idle: Math.max(0, open - inUse), reuseRatio }
}
