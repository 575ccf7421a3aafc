/** What calls wait for: processors, the log of a database, locks. */
import type { Timeline } from './timeline.ts'

/** Some cores with one queue. */
export class Processor {
  readonly #timeline: Timeline
  readonly #cores: number
  #queue: { readonly us: number; readonly done: () => void }[] = []
  /** Those before it have begun. */
  #first = 0
  #running = 0
  /** Of all cores, in microseconds. */
  busyUs = 0

  constructor(timeline: Timeline, cores: number) {
    this.#timeline = timeline
    this.#cores = cores
  }

  work(us: number, done: () => void): void {
    if (this.#running >= this.#cores) this.#queue.push({ us, done })
    else this.#start(us, done)
  }

  #start(us: number, done: () => void): void {
    this.#running++
    this.busyUs += us
    this.#timeline.after(us, () => {
      this.#running--
      const next = this.#next()
      if (next) this.#start(next.us, next.done)
      done()
    })
  }

  #next() {
    const next = this.#queue[this.#first]
    if (next === undefined) return undefined
    this.#first++
    if (this.#first * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#first)
      this.#first = 0
    }
    return next
  }
}

/** A log that is synced for all who wait, again and again. */
export class Log {
  readonly #timeline: Timeline
  readonly #syncUs: number
  #waiting: (() => void)[] = []
  #isSyncing = false
  syncs = 0

  constructor(timeline: Timeline, syncUs: number) {
    this.#timeline = timeline
    this.#syncUs = syncUs
  }

  commit(done: () => void): void {
    this.#waiting.push(done)
    if (!this.#isSyncing) this.#sync()
  }

  #sync(): void {
    const synced = this.#waiting
    this.#waiting = []
    this.#isSyncing = true
    this.syncs++
    this.#timeline.after(this.#syncUs, () => {
      this.#isSyncing = false
      if (this.#waiting.length > 0) this.#sync()
      for (const done of synced) done()
    })
  }
}

/** Locks by key; who waits longest is next. */
export class Locks {
  readonly #waiting = new Map<number, (() => void)[]>()

  take(key: number, taken: () => void): void {
    const queue = this.#waiting.get(key)
    if (queue) queue.push(taken)
    else {
      this.#waiting.set(key, [])
      taken()
    }
  }

  free(key: number): void {
    const next = this.#waiting.get(key)?.shift()
    if (next) next()
    else this.#waiting.delete(key)
  }
}
