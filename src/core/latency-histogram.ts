/** Durations counted in buckets of fixed bounds, which can be added up over methods, clients and processes. */

/** Upper bounds of the buckets in milliseconds: of a local call, of a network's round trip, and of a call's usual deadline. */
const boundsMs = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000] as const

/** Durations by bucket. */
export interface LatencyBuckets {
  /** Number of durations. */
  count: number
  /** Their sum, in milliseconds. */
  sumMs: number
  /** Upper bounds of the buckets, in milliseconds, inclusive and ascending; the same for every histogram. */
  boundsMs: readonly number[]
  /** Number of durations in each bucket, not added up; one more than there are bounds, for all that took longer. */
  counts: number[]
}

/** A few increments for each duration, and no allocation. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(boundsMs.length + 1)
  readonly #sum = new Float64Array(1)

  record(durationMs: number): void {
    let bucket = 0
    while (bucket < boundsMs.length && durationMs > (boundsMs[bucket] as number)) bucket++
    ;(this.#counts[bucket] as number)++
    this.#sum[0] = (this.#sum[0] as number) + durationMs
  }

  buckets(): LatencyBuckets {
    const counts = [...this.#counts]
    return { count: counts.reduce((sum, count) => sum + count, 0), sumMs: this.#sum[0] as number, boundsMs, counts }
  }
}
