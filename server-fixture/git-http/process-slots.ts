/** Bounds the git processes that run at once: other requests wait in the order in which they came. */
import { BlobwireError } from '../../src/core/error.ts'

/** Bounds of the processes. */
export interface SlotBounds {
  /** Processes at once. */
  readonly max: number
  /** Requests that wait; more are refused. */
  readonly maxWaiting: number
  /** Time that a request waits, and is then refused. */
  readonly maxWaitMs: number
}

/** Refused clients are told to come again after this time. */
const retryAfterMs = 5_000

export class ProcessSlots {
  readonly #bounds: SlotBounds
  readonly #waiting = new Set<() => void>()
  #running = 0

  constructor(bounds: SlotBounds) {
    this.#bounds = bounds
  }

  /**
   * Waits for a slot, which the returned function gives back.
   * @throws BlobwireError `unavailable` where too many wait, or this one for too long; the reason of `signal`
   */
  async acquire(signal?: AbortSignal): Promise<() => void> {
    if (this.#running < this.#bounds.max) this.#running++
    else await this.#wait(signal)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      const [next] = this.#waiting
      if (next) next()
      else this.#running--
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (this.#waiting.size >= this.#bounds.maxWaiting) throw busy()
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        this.#waiting.delete(enter)
      }
      // The slot passes on: its number of running processes stays.
      const enter = () => {
        leave()
        resolve()
      }
      const abort = () => {
        leave()
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        leave()
        reject(busy())
      }, this.#bounds.maxWaitMs)
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiting.add(enter)
    })
  }
}

function busy(): BlobwireError {
  const message = 'the server has all the git processes that it may have; try again later'
  return new BlobwireError({ code: 'unavailable', message, details: { retryAfterMs } })
}
