/** Latencies of calls, summed up in a histogram. */
import { newHistogram } from '../platform/histogram.ts'

/** Durations of calls that succeeded, in milliseconds. Every property is 0 before the first such call. */
export interface LatencySummary {
  count: number
  meanMs: number
  p50Ms: number
  p90Ms: number
  p95Ms: number
  p99Ms: number
  maxMs: number
}

/** Durations in a histogram of a fixed size, exact to a thousandth of the value. */
export class Latency {
  readonly #histogram = newHistogram()

  record(durationMs: number): void {
    // The histogram takes integers from 1: here, microseconds.
    this.#histogram.record(Math.max(1, Math.round(durationMs * 1000)))
  }

  summary(): LatencySummary {
    const histogram = this.#histogram
    const { count } = histogram
    if (count === 0) return { count, meanMs: 0, p50Ms: 0, p90Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 }
    const at = (percentile: number) => histogram.percentile(percentile) / 1000
    return {
      count,
      meanMs: histogram.mean / 1000,
      p50Ms: at(50),
      p90Ms: at(90),
      p95Ms: at(95),
      p99Ms: at(99),
      maxMs: histogram.max / 1000
    }
  }
}
