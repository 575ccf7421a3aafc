/** Durations of the last minute, in a histogram with four buckets for each doubling. */

const bucketsPerDoubling = 4
/** The first bucket ends at a quarter of a millisecond. */
const firstMs = 0.25
/** The last one begins at some five hours. */
const bucketCount = 26 * bucketsPerDoubling + 1
/** Durations leave after one to two times this. */
const windowMs = 30_000
/** A window that has fewer goes on. */
const leastInWindow = 20

export class RecentLatency {
  #now = new Uint32Array(bucketCount)
  #before = new Uint32Array(bucketCount)
  #countNow = 0
  #countBefore = 0
  #beganAtMs: number

  constructor(nowMs: number) {
    this.#beganAtMs = nowMs
  }

  get count(): number {
    return this.#countNow + this.#countBefore
  }

  record(nowMs: number, durationMs: number): void {
    if (nowMs - this.#beganAtMs >= windowMs && this.#countNow >= leastInWindow) this.#turn(nowMs)
    const bucket = Math.ceil(Math.log2(Math.max(firstMs, durationMs) / firstMs) * bucketsPerDoubling)
    const place = Math.min(bucketCount - 1, bucket)
    this.#now[place] = (this.#now[place] as number) + 1
    this.#countNow++
  }

  /** The upper bound of the bucket that the percentile, from 0 to 100, falls into. */
  percentileMs(percentile: number): number {
    let left = Math.ceil((this.count * percentile) / 100)
    for (let place = 0; place < bucketCount; place++) {
      left -= (this.#now[place] as number) + (this.#before[place] as number)
      if (left <= 0) return firstMs * 2 ** (place / bucketsPerDoubling)
    }
    return firstMs * 2 ** (bucketCount / bucketsPerDoubling)
  }

  #turn(nowMs: number): void {
    const oldest = this.#before
    this.#before = this.#now
    this.#countBefore = this.#countNow
    this.#now = oldest.fill(0)
    this.#countNow = 0
    this.#beganAtMs = nowMs
  }
}
