/** Figures of the process, under the names that Prometheus' client libraries have for them. */
import { readdirSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'

/** Of one process; of several, added up. */
export interface ProcessFigures {
  readonly processes: number
  readonly cpuUserSeconds: number
  readonly cpuSystemSeconds: number
  readonly residentBytes: number
  readonly heapUsedBytes: number
  readonly heapTotalBytes: number
  readonly heapLimitBytes: number
  readonly externalBytes: number
  /** 0 where the system does not tell. */
  readonly openFiles: number
  /** Time in which the event loop worked, and in which it waited. */
  readonly loopActiveSeconds: number
  readonly loopIdleSeconds: number
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}

export function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
  const { active, idle } = performance.eventLoopUtilization()
  return {
    processes: 1,
    cpuUserSeconds: user / 1e6,
    cpuSystemSeconds: system / 1e6,
    residentBytes: rss,
    heapUsedBytes: heapUsed,
    heapTotalBytes: heapTotal,
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    externalBytes: external,
    openFiles: openFiles(),
    loopActiveSeconds: active / 1000,
    loopIdleSeconds: idle / 1000
  }
}
