/** The clock and the timers of the client. */
import { startTimer } from '../platform/schedule.ts'

/** Time and timers, so that policies run on a fake clock in tests. */
export interface Clock {
  /** Milliseconds on a clock that never goes back; its zero means nothing. */
  now(): number
  /** Milliseconds since 1970-01-01T00:00:00Z, for dates that are stored. */
  wallTimeMs(): number
  /**
   * Calls back once, `delayMs` from now. Returns the function that cancels the timer. Timers do not keep the process
   * running; calls do (`call/bulkhead.ts`).
   */
  schedule(delayMs: number, callback: () => void): () => void
}

/** Longest delay of `setTimeout`, which fires at once for a longer one. */
const maxDelayMs = 2 ** 31 - 1

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTimeMs: () => Date.now(),
  schedule(delayMs, callback) {
    return startTimer(Math.min(delayMs, maxDelayMs), callback)
  }
}
