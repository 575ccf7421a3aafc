/**
 * A bulkhead: a bounded number of calls at a time; the others wait in a bounded queue, first come, first served. Of
 * background calls, at least one of five is admitted while both kinds wait, and they are the first to be shed.
 */
import { BlobwireError } from '../core/error.ts'
import type { ResolvedConcurrencyOptions } from '../options/types.ts'
import type { Work } from '../platform/platform.ts'
import { WaitingLine } from './waiting-line.ts'

/** A call at the bulkhead. */
export interface Waiter {
  isAdmitted: boolean
  readonly isBackground: boolean
  /** Its turn has come. */
  begin(): void
  /** It will have no turn. */
  fail(error: unknown): void
}

type Bounds = Pick<ResolvedConcurrencyOptions, 'maxCalls' | 'maxQueued'>

/** While both kinds wait, background calls have each turn of this number. */
const backgroundTurn = 5

export class Bulkhead {
  readonly #options: Bounds
  readonly #work: Work
  readonly #interactive = new WaitingLine<Waiter>()
  readonly #background = new WaitingLine<Waiter>()
  /** Turns of interactive calls since the last one of a background call that waited. */
  #turns = 0
  /** Calls that may be under way at a time. */
  maxCalls: number
  #running = 0
  #isAdmitting = false
  #closed = false

  /** From the first call to the end of the last one, there is `work`. The options may change. */
  constructor(options: Bounds, work: Work) {
    this.#work = work
    this.#options = options
    this.maxCalls = options.maxCalls
  }

  /** Calls under way. */
  get running(): number {
    return this.#running
  }

  /** Calls that wait for their turn. */
  get queued(): number {
    return this.#interactive.size + this.#background.size
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Lets the call begin, now or later. @throws BlobwireError `resource_exhausted`, reason `queue_full` or `shed` */
  admit(waiter: Waiter): void {
    if (this.#running < this.maxCalls) {
      this.#begin(waiter)
      return
    }
    if (this.queued >= this.#options.maxQueued) this.#makeRoom(waiter)
    if (waiter.isBackground) this.#background.add(waiter)
    else this.#interactive.add(waiter)
  }

  /** The call is over, whether or not its turn had come. */
  release(waiter: Waiter): void {
    if (!waiter.isAdmitted) {
      this.#interactive.delete(waiter)
      this.#background.delete(waiter)
      return
    }
    if (--this.#running === 0) this.#work.endWork()
    this.#admitWaiting()
  }

  /** Calls beyond a lower limit go on; calls that wait begin where there is room now. */
  setLimit(maxCalls: number): void {
    this.maxCalls = maxCalls
    this.#admitWaiting()
  }

  /** Admits no further calls. */
  close(): void {
    this.#closed = true
    this.#interactive.clear()
    this.#background.clear()
  }

  /** A loop, not a recursion: a call may end as soon as it begins, and thousands may fail for the same reason. */
  #admitWaiting(): void {
    if (this.queued === 0 || this.#isAdmitting) return
    this.#isAdmitting = true
    while (this.#running < this.maxCalls) {
      const waiter = this.#takeNext()
      if (waiter === undefined) break
      this.#begin(waiter)
    }
    this.#isAdmitting = false
  }

  #takeNext(): Waiter | undefined {
    if (this.#background.size === 0) return this.#interactive.takeFirst()
    if (this.#interactive.size > 0 && ++this.#turns < backgroundTurn) return this.#interactive.takeFirst()
    this.#turns = 0
    return this.#background.takeFirst()
  }

  /** Sends the last background call away for an interactive one. @throws BlobwireError for a call that has no room */
  #makeRoom(waiter: Waiter): void {
    const message = `${this.#running} calls are under way and ${this.queued} wait (concurrency.maxCalls, maxQueued)`
    if (waiter.isBackground) throw new BlobwireError({ reason: 'shed', message })
    const last = this.#background.takeLast()
    if (last === undefined) throw new BlobwireError({ reason: 'queue_full', message })
    last.fail(new BlobwireError({ reason: 'shed', message: `${message}; a background call makes room` }))
  }

  #begin(waiter: Waiter): void {
    if (this.#running++ === 0) this.#work.beginWork()
    waiter.isAdmitted = true
    waiter.begin()
  }
}
