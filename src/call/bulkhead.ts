import { BlobwireError } from '../core/error.ts'

/** How many calls are under way at a time. */
export interface ConcurrencyOptions {
  /**
   * Calls under way at a time; others wait for their turn.
   * @default 10000
   */
  maxCalls?: number | undefined
  /**
   * Calls that wait; more are refused with `resource_exhausted`, reason `queue_full`.
   * @default 100000
   */
  maxQueued?: number | undefined
}

/** What is let in, or waits. */
export interface Waiter {
  /** It has been let in. */
  begun: boolean
  /** Its turn has come. */
  begin(): void
}

/**
 * A bulkhead: so many calls at a time, the others in a bounded queue, first come first served. Who leaves the queue early
 * frees its place at once.
 */
export class Bulkhead {
  readonly #maxCalls: number
  readonly #maxQueued: number
  /** In order, because a set remembers it; leaving from the middle costs nothing. */
  readonly #waiting = new Set<Waiter>()
  #running = 0
  #isAdmitting = false

  constructor({ maxCalls, maxQueued }: { maxCalls: number; maxQueued: number }) {
    this.#maxCalls = maxCalls
    this.#maxQueued = maxQueued
  }

  /** Calls under way. */
  get running(): number {
    return this.#running
  }

  /** Calls that wait for their turn. */
  get queued(): number {
    return this.#waiting.size
  }

  /** Lets it in now or later. @throws BlobwireError `resource_exhausted`, reason `queue_full` */
  admit(waiter: Waiter): void {
    if (this.#running < this.#maxCalls) {
      this.#admit(waiter)
      return
    }
    if (this.#waiting.size >= this.#maxQueued) {
      const message = `${this.#running} calls are under way and ${this.#waiting.size} wait (concurrency.maxCalls, maxQueued)`
      throw new BlobwireError({ code: 'resource_exhausted', reason: 'queue_full', message })
    }
    this.#waiting.add(waiter)
  }

  /** It is over, whether or not its turn had come. */
  release(waiter: Waiter): void {
    if (!waiter.begun) {
      this.#waiting.delete(waiter)
      return
    }
    this.#running--
    if (this.#waiting.size > 0 && !this.#isAdmitting) this.#admitWaiting()
  }

  /** A loop, because who is let in may leave at once: thousands may fail for the same reason. */
  #admitWaiting(): void {
    this.#isAdmitting = true
    for (const waiter of this.#waiting) {
      if (this.#running >= this.#maxCalls) break
      this.#waiting.delete(waiter)
      this.#admit(waiter)
    }
    this.#isAdmitting = false
  }

  /** Lets nobody in any more. */
  close(): void {
    this.#waiting.clear()
  }

  #admit(waiter: Waiter): void {
    this.#running++
    waiter.begun = true
    waiter.begin()
  }
}
