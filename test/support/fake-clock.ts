import type { Clock } from '../../src/core/clock.ts'

/** A clock that advances only when the test says so. */
export class FakeClock implements Clock {
  #now = 1000
  readonly #timers = new Map<object, { at: number; callback: () => void }>()

  now(): number {
    return this.#now
  }

  wallTimeMs(): number {
    return Date.UTC(2026, 0, 1) + this.#now
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const key = {}
    this.#timers.set(key, { at: this.#now + delayMs, callback })
    return () => this.#timers.delete(key)
  }

  /** Advances, and fires the timers that are due on the way, in order. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers.delete(due[0])
      this.#now = due[1].at
      due[1].callback()
    }
    this.#now = end
  }

  /** Timers that have not fired and were not cancelled. */
  get pending(): number {
    return this.#timers.size
  }
}
