/**
 * Decompresses the messages of a session as far as the budget of its connection has room. A message may become a thousand
 * times as large, and the stream's window has many of them: they wait, where other clients' requests would be refused.
 */
import { BlobwireError } from '../../src/core/error.ts'
import type { ConnectionBudget } from '../memory-budget.ts'

/** Messages of one session that are decompressed at the same time, beside the event loop. */
const maxAtOnce = 2

/** What a queue asks its session. */
export interface InflateQueueDependencies {
  readonly budget: ConnectionBudget
  /** Whether operations are pending, whose end makes room. */
  readonly hasPending: () => boolean
}

/** The queue of one session. */
export class InflateQueue {
  readonly #dependencies: InflateQueueDependencies
  readonly #waiting: (() => void)[] = []
  #running = 0
  #isClosed = false

  constructor(dependencies: InflateQueueDependencies) {
    this.#dependencies = dependencies
  }

  /** Calls `inflate` at once, or in turn. Rejects with `cancelled` where the session ends before. */
  run<T>(inflate: () => T | Promise<T>): T | Promise<T> {
    if (this.#waiting.length === 0 && !this.#mustWait) return this.#run(inflate)
    return new Promise<void>((resolve) => this.#waiting.push(resolve)).then(() => {
      if (this.#isClosed) throw new BlobwireError({ code: 'cancelled', message: 'the session has ended' })
      return this.#run(inflate)
    })
  }

  /** There may be room. */
  wake(): void {
    if (this.#waiting.length > 0 && !this.#mustWait) this.#waiting.shift()?.()
  }

  close(): void {
    this.#isClosed = true
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Without anything under way that will make room, reading on is the only thing that does. */
  get #mustWait(): boolean {
    const { budget, hasPending } = this.#dependencies
    return this.#running >= maxAtOnce || (budget.isBusy && (this.#running > 0 || hasPending()))
  }

  #run<T>(inflate: () => T | Promise<T>): T | Promise<T> {
    const message = inflate()
    if (!(message instanceof Promise)) return message
    this.#running++
    const ended = () => {
      this.#running--
      this.wake()
    }
    message.then(ended, ended)
    return message
  }
}
