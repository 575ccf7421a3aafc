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
interface Row {
  first: Timed | undefined
  last: Timed | undefined
  cancelTimer: (() => void) | undefined
}

/** Rows are kept for durations that come again; beyond this the oldest empty one goes. */
const maxRows = 64

/**
 * Deadlines that share timers: one for each duration in use, not one for each call. Adding and removing take the same
 * time however many there are; a timer that fires for calls long gone sets itself for the next one.
 */
export class SharedTimers {
  readonly #clock: Clock
  readonly #rows = new Map<number, Row>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `durationMs` is the time from now to `timed.endsAt`. */
  add(timed: Timed, durationMs: number): void {
    const row = this.#row(durationMs)
    timed.previous = row.last
    if (row.last) row.last.next = timed
    else row.first = timed
    row.last = timed
    if (row.cancelTimer === undefined) this.#arm(row, durationMs)
  }

  /** With the duration it was added with. What is not there any more is passed over. */
  remove(timed: Timed, durationMs: number): void {
    const row = this.#rows.get(durationMs)
    const { previous, next } = timed
    if (row === undefined || (previous === undefined && row.first !== timed)) return
    if (previous) previous.next = next
    else row.first = next
    if (next) next.previous = previous
    else row.last = previous
    timed.previous = undefined
    timed.next = undefined
  }

  /** Everything that is waiting. */
  all(): Timed[] {
    const found: Timed[] = []
    for (const row of this.#rows.values()) {
      for (let timed = row.first; timed !== undefined; timed = timed.next) found.push(timed)
    }
    return found
  }

  /** Lets go of all timers. */
  close(): void {
    for (const row of this.#rows.values()) row.cancelTimer?.()
    this.#rows.clear()
  }

  #row(durationMs: number): Row {
    let row = this.#rows.get(durationMs)
    if (row !== undefined) return row
    if (this.#rows.size >= maxRows) this.#forgetIdle()
    row = { first: undefined, last: undefined, cancelTimer: undefined }
    this.#rows.set(durationMs, row)
    return row
  }

  #forgetIdle(): void {
    for (const [durationMs, row] of this.#rows) {
      if (row.first !== undefined) continue
      row.cancelTimer?.()
      this.#rows.delete(durationMs)
    }
  }

  #arm(row: Row, delayMs: number): void {
    row.cancelTimer = this.#clock.schedule(Math.max(0, delayMs), () => {
      row.cancelTimer = undefined
      const now = this.#clock.now()
      while (row.first !== undefined && row.first.endsAt <= now) {
        const due = row.first
        due.onTime()
        // It removes itself; if it should not, the loop must still end.
        if (row.first === due) break
      }
      if (row.first !== undefined) this.#arm(row, row.first.endsAt - now)
    })
  }
}
