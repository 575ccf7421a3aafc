import type { Clock } from '../core/clock.ts'

/** Something with an end, in a list of such. */
export interface Timed {
  /** When it is due, on the clock's time. */
  readonly endsAt: number
  /** Neighbours in the list; the list's own. */
  previous: Timed | undefined
  next: Timed | undefined
  /** It is due. */
  onTime(): void
}

/** All with the same duration, so that they are due in the order in which they came. */
interface Bucket {
  first: Timed | undefined
  last: Timed | undefined
  cancelTimer: (() => void) | undefined
}

/** Rows are kept for durations that come again; beyond this the oldest empty one goes. */
const maxBuckets = 64

/**
 * Deadlines that share timers: one for each duration in use, not one for each call. Adding and removing take the same
 * time however many there are; a timer that fires for calls long gone sets itself for the next one.
 */
export class DeadlineTimers {
  readonly #clock: Clock
  readonly #buckets = new Map<number, Bucket>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `durationMs` is the time from now to `timed.endsAt`. */
  add(timed: Timed, durationMs: number): void {
    const bucket = this.#bucket(durationMs)
    timed.previous = bucket.last
    if (bucket.last) bucket.last.next = timed
    else bucket.first = timed
    bucket.last = timed
    if (bucket.cancelTimer === undefined) this.#arm(bucket, durationMs)
  }

  /** With the duration it was added with. What is not there any more is passed over. */
  remove(timed: Timed, durationMs: number): void {
    const bucket = this.#buckets.get(durationMs)
    const { previous, next } = timed
    if (bucket === undefined || (previous === undefined && bucket.first !== timed)) return
    if (previous) previous.next = next
    else bucket.first = next
    if (next) next.previous = previous
    else bucket.last = previous
    timed.previous = undefined
    timed.next = undefined
  }

  /** Everything that is waiting. */
  all(): Timed[] {
    const found: Timed[] = []
    for (const bucket of this.#buckets.values()) {
      for (let timed = bucket.first; timed !== undefined; timed = timed.next) found.push(timed)
    }
    return found
  }

  /** Lets go of all timers. */
  close(): void {
    for (const bucket of this.#buckets.values()) bucket.cancelTimer?.()
    this.#buckets.clear()
  }

  #bucket(durationMs: number): Bucket {
    let bucket = this.#buckets.get(durationMs)
    if (bucket !== undefined) return bucket
    if (this.#buckets.size >= maxBuckets) this.#forgetIdle()
    bucket = { first: undefined, last: undefined, cancelTimer: undefined }
    this.#buckets.set(durationMs, bucket)
    return bucket
  }

  #forgetIdle(): void {
    for (const [durationMs, bucket] of this.#buckets) {
      if (bucket.first !== undefined) continue
      bucket.cancelTimer?.()
      this.#buckets.delete(durationMs)
    }
  }

  #arm(bucket: Bucket, delayMs: number): void {
    bucket.cancelTimer = this.#clock.schedule(Math.max(0, delayMs), () => {
      bucket.cancelTimer = undefined
      const now = this.#clock.now()
      while (bucket.first !== undefined && bucket.first.endsAt <= now) {
        const due = bucket.first
        due.onTime()
        // It removes itself; if it should not, the loop must still end.
        if (bucket.first === due) break
      }
      if (bucket.first !== undefined) this.#arm(bucket, bucket.first.endsAt - now)
    })
  }
}
