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
  /** After this time, a slot passes on although it was not given back; undefined = never. */
  readonly maxHoldMs?: number
}

/** The place of one process among those that run. */
export interface Slot {
  /** The process has ended. */
  release(): void
  /**
   * The process waits for its client, and costs little: another one runs beside it. Nothing happens where too many processes
   * wait for their clients already.
   */
  park(): void
}

/** Parked processes, for each one that runs: they take memory. */
const parkedOfRunning = 4

/** Refused clients are told to come again after this time. */
const retryAfterMs = 5_000

export class ProcessSlots {
  readonly #bounds: SlotBounds
  readonly #waiting = new Set<() => void>()
  #running = 0
  #parked = 0

  constructor(bounds: SlotBounds) {
    this.#bounds = bounds
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * Waits for a slot.
   * @throws BlobwireError `unavailable` where too many wait, or this one for too long; the reason of `signal`
   */
  async acquire(signal?: AbortSignal): Promise<Slot> {
    if (this.#running < this.#bounds.max) this.#running++
    else await this.#wait(signal)
    let state: 'running' | 'parked' | 'ended' = 'running'
    let timer: NodeJS.Timeout | undefined
    const release = () => {
      if (state === 'running') this.#passOn()
      if (state === 'parked') this.#parked--
      state = 'ended'
      clearTimeout(timer)
    }
    const { maxHoldMs } = this.#bounds
    if (maxHoldMs !== undefined) timer = setTimeout(release, maxHoldMs)
    return {
      release,
      park: () => {
        if (state !== 'running' || this.#parked >= parkedOfRunning * this.#bounds.max) return
        state = 'parked'
        this.#parked++
        this.#passOn()
      }
    }
  }

  #passOn(): void {
    const [next] = this.#waiting
    if (next) next()
    else this.#running--
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
