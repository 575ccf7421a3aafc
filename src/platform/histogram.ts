/** `HistogramFunctions` of platform.ts on Node, with Node's HDR histogram. */
import { createHistogram } from 'node:perf_hooks'
import type { Histogram } from './platform.ts'

export function newHistogram(): Histogram {
  return createHistogram({ figures: 3 })
}
