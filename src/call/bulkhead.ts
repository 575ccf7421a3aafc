/** A bulkhead: a bounded number of calls at a time; the others wait in a bounded queue, first come, first served. */
import { BlobwireError } from '../core/error.ts'
import type { Work } from '../platform/platform.ts'

/** A call at the bulkhead. */
export interface Waiter {
  isAdmitted: boolean
  /** Its turn has come. */
  begin(): void
}

export class Bulkhead {
  readonly #maxCalls: number
  readonly #maxQueued: number
  readonly #work: Work
  /** A set keeps the order, and a waiter leaves from the middle at no cost. */
  readonly #waiting = new Set<Waiter>()
  #running = 0
  #isAdmitting = false
  #closed = false

  /** From the first call to the end of the last one, there is `work`. */
  constructor({ maxCalls, maxQueued }: { maxCalls: number; maxQueued: number }, work: Work) {
    this.#work = work
    this.#maxCalls = maxCalls
    this.#maxQueued = maxQueued
  }

  /** Calls under way. */
  get running(): number {
    return this.#running
  }

  /** Calls that may be under way at a time. */
  get maxCalls(): number {
    return this.#maxCalls
  }

  /** Calls that wait for their turn. */
  get queued(): number {
    return this.#waiting.size
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Lets the call begin, now or later. @throws BlobwireError `resource_exhausted`, reason `queue_full` */
  admit(waiter: Waiter): void {
    if (this.#running < this.#maxCalls) {
      this.#begin(waiter)
      return
    }
    if (this.#waiting.size >= this.#maxQueued) {
      const message = `${this.#running} calls are under way and ${this.#waiting.size} wait (concurrency.maxCalls, maxQueued)`
      throw new BlobwireError({ reason: 'queue_full', message })
    }
    this.#waiting.add(waiter)
  }

  /** The call is over, whether or not its turn had come. */
  release(waiter: Waiter): void {
    if (!waiter.isAdmitted) {
      this.#waiting.delete(waiter)
      return
    }
    if (--this.#running === 0) this.#work.endWork()
    if (this.#waiting.size > 0 && !this.#isAdmitting) this.#admitWaiting()
  }

  /** Admits no further calls. */
  close(): void {
    this.#closed = true
    this.#waiting.clear()
  }

  /** A loop, not a recursion: a call may end as soon as it begins, and thousands may fail for the same reason. */
  #admitWaiting(): void {
    this.#isAdmitting = true
    for (const waiter of this.#waiting) {
      if (this.#running >= this.#maxCalls) break
      this.#waiting.delete(waiter)
      this.#begin(waiter)
    }
    this.#isAdmitting = false
  }

  #begin(waiter: Waiter): void {
    if (this.#running++ === 0) this.#work.beginWork()
    waiter.isAdmitted = true
    waiter.begin()
  }
}
