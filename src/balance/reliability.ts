/** How reliable one endpoint was: its attempts and the latency of its answers, over the last minute and the last hour. */

/** Attempts of one endpoint in a window of time. */
export interface ReliabilityWindow {
  /** Attempts that told something about the endpoint: it answered, or it failed as an endpoint. */
  attempts: number
  /** Those that failed: no connection, a broken one, silence, or a refusal of the whole request. */
  failures: number
  /** Share of the attempts that did not fail, from 0 to 1; undefined = there were no attempts. */
  successRatio: number | undefined
  /**
   * Time from a frame or a request to its answer, in milliseconds, rounded up by at most a fifth: half of the answers took
   * no longer. Undefined = there were no answers.
   */
  p50Ms: number | undefined
  /** The same for 95 of 100 answers. */
  p95Ms: number | undefined
  /** The same for 99 of 100 answers. */
  p99Ms: number | undefined
}

/** Both windows. */
export interface ReliabilitySummary {
  minute: ReliabilityWindow
  hour: ReliabilityWindow
}

/** Buckets of latencies: bucket n ends at `leastMs * growth ** n`, the last one nowhere. */
const leastMs = 0.05
const growth = 1.2
const bucketCount = 88
const logGrowth = Math.log(growth)
/** Numbers of one slot: attempts, failures, and the buckets. */
const width = 2 + bucketCount

function bucketOf(ms: number): number {
  if (ms <= leastMs) return 0
  return Math.min(bucketCount - 1, Math.ceil(Math.log(ms / leastMs) / logGrowth))
}

/** A ring of slots, each for the same length of time, of which the oldest one is overwritten. */
class Window {
  readonly #slotMs: number
  readonly #slots: number
  readonly #counts: Uint32Array
  /** Number of the slot of now, counted from the clock's zero. */
  #current = Number.NEGATIVE_INFINITY

  constructor(slotMs: number, slots: number) {
    this.#slotMs = slotMs
    this.#slots = slots
    this.#counts = new Uint32Array(slots * width)
  }

  /** The place of the slot of this time. */
  at(nowMs: number): number {
    const slot = Math.floor(nowMs / this.#slotMs)
    if (slot !== this.#current) this.#advance(slot)
    return (slot % this.#slots) * width
  }

  add(place: number, column: number, count: number): void {
    const at = place + column
    this.#counts[at] = (this.#counts[at] as number) + count
  }

  summary(nowMs: number): ReliabilityWindow {
    this.at(nowMs)
    const sums = new Array<number>(width).fill(0)
    for (const [at, count] of this.#counts.entries()) sums[at % width] = (sums[at % width] as number) + count
    const [attempts = 0, failures = 0, ...buckets] = sums
    return {
      attempts,
      failures,
      successRatio: attempts === 0 ? undefined : 1 - failures / attempts,
      p50Ms: percentile(buckets, 0.5),
      p95Ms: percentile(buckets, 0.95),
      p99Ms: percentile(buckets, 0.99)
    }
  }

  /** Empties the slots between the last one and this one. */
  #advance(slot: number): void {
    const first = Math.max(0, this.#current + 1, slot - this.#slots + 1)
    for (let each = first; each <= slot; each++) {
      const place = (each % this.#slots) * width
      this.#counts.fill(0, place, place + width)
    }
    this.#current = slot
  }
}

/** The end of the bucket in which this share of the answers is reached. */
function percentile(buckets: readonly number[], share: number): number | undefined {
  const rank = Math.ceil(buckets.reduce((sum, count) => sum + count, 0) * share)
  if (rank === 0) return undefined
  let seen = 0
  const found = buckets.findIndex((count) => {
    seen += count
    return seen >= rank
  })
  return Number((leastMs * growth ** found).toPrecision(3))
}

/** Attempts and answers of one endpoint. An attempt that succeeds costs one addition; the rest is done once for each frame. */
export class Reliability {
  /** Attempts that succeeded. */
  successes = 0
  /** Those that are in the windows already. */
  #counted = 0
  readonly #minute = new Window(5000, 12)
  readonly #hour = new Window(60_000, 60)

  /** An attempt has failed. */
  failed(nowMs: number): void {
    for (const window of [this.#minute, this.#hour]) {
      const place = window.at(nowMs)
      window.add(place, 0, 1)
      window.add(place, 1, 1)
    }
  }

  /** A frame or a request was answered. */
  answered(nowMs: number, durationMs: number): void {
    this.#countSuccesses(nowMs)
    const column = 2 + bucketOf(durationMs)
    this.#minute.add(this.#minute.at(nowMs), column, 1)
    this.#hour.add(this.#hour.at(nowMs), column, 1)
  }

  summary(nowMs: number): ReliabilitySummary {
    this.#countSuccesses(nowMs)
    return { minute: this.#minute.summary(nowMs), hour: this.#hour.summary(nowMs) }
  }

  #countSuccesses(nowMs: number): void {
    const count = this.successes - this.#counted
    if (count === 0) return
    this.#counted = this.successes
    this.#minute.add(this.#minute.at(nowMs), 0, count)
    this.#hour.add(this.#hour.at(nowMs), 0, count)
  }
}
