/** Durations in buckets, as Prometheus has them: they can be added up over methods, over processes and over time. */

/** Upper bounds of the buckets, in seconds; the last bucket has none. */
export const bucketBounds: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30
]

/** A histogram as data. */
export interface HistogramFigures {
  /** Durations of each bucket, one more than there are bounds; not cumulative. */
  readonly buckets: readonly number[]
  readonly sumSeconds: number
}

/** The empty histogram. */
export const noDurations: HistogramFigures = {
  buckets: Array.from({ length: bucketBounds.length + 1 }, () => 0),
  sumSeconds: 0
}

/** A histogram that grows. */
export class Histogram {
  readonly #buckets: number[] = [...noDurations.buckets]
  #sumSeconds = 0

  /** Counts a duration, as often as it was measured. */
  observe(durationMs: number, count = 1): void {
    const seconds = durationMs / 1000
    let index = 0
    while (index < bucketBounds.length && seconds > (bucketBounds[index] as number)) index++
    ;(this.#buckets[index] as number) += count
    this.#sumSeconds += seconds * count
  }

  figures(): HistogramFigures {
    return { buckets: [...this.#buckets], sumSeconds: this.#sumSeconds }
  }
}

export function countOf({ buckets }: HistogramFigures): number {
  return buckets.reduce((total, count) => total + count, 0)
}

/** Both together; with `sign` -1, what came to `b` since it was `a`. */
export function addHistograms(a: HistogramFigures, b: HistogramFigures, sign = 1): HistogramFigures {
  return {
    buckets: a.buckets.map((count, index) => count + sign * (b.buckets[index] ?? 0)),
    sumSeconds: a.sumSeconds + sign * b.sumSeconds
  }
}

/**
 * The duration in milliseconds that this share of the durations does not exceed, interpolated within its bucket as
 * Prometheus does (`histogram_quantile`); in the last bucket, its lower bound. 0 where nothing was measured.
 */
export function percentileMs(figures: HistogramFigures, share: number): number {
  const rank = share * countOf(figures)
  if (rank === 0) return 0
  let below = 0
  for (let index = 0; index < bucketBounds.length; index++) {
    const count = figures.buckets[index] as number
    if (below + count >= rank) {
      const lower = index === 0 ? 0 : (bucketBounds[index - 1] as number)
      const upper = bucketBounds[index] as number
      return 1000 * (lower + ((upper - lower) * (rank - below)) / count)
    }
    below += count
  }
  return 1000 * (bucketBounds.at(-1) as number)
}
