/** How fast walks go, and when a page of one ends. */

/** The bounds of one page. */
export interface PageBounds {
  /** Steps of a walk, shown or passed over. */
  readonly maxSteps: number
  /** Time, the turns of other work included. */
  readonly maxMs: number
}

/** A page that has taken this much ends early, with a token. */
export const defaultPageBounds: PageBounds = { maxSteps: 1_000_000, maxMs: 1000 }

/** All walks together give other work a turn after this time. */
const sliceMs = 5
const stepsBetweenLooks = 32

/** The slice of the event loop that all walks of the process share. */
const slice: { startedAtMs: number; next: Promise<void> | undefined } = { startedAtMs: 0, next: undefined }

function nextSlice(): Promise<void> {
  slice.next ??= new Promise((resolve) => {
    setImmediate(() => {
      slice.next = undefined
      slice.startedAtMs = performance.now()
      resolve()
    })
  })
  return slice.next
}

/** Where a walk runs: it ends when nobody waits for it. */
interface Caller {
  readonly pageBounds: PageBounds
  throwIfAbandoned(): void
}

/** Paces the walk of one page. */
export class Pace {
  readonly #caller: Caller
  readonly #endsAtMs: number
  #steps = 0
  #isOver = false

  constructor(caller: Caller) {
    this.#caller = caller
    const now = performance.now()
    this.#endsAtMs = now + caller.pageBounds.maxMs
    // Nobody walked since the event loop last waited.
    if (slice.next === undefined && now > slice.startedAtMs + sliceMs) slice.startedAtMs = now
  }

  /** The page must end here. */
  get isOver(): boolean {
    return this.#isOver
  }

  /**
   * Counts a step; the walk waits for the promise, if there is one.
   * @param waited the step waited for the store, which may have taken long
   */
  step(waited: boolean): Promise<void> | undefined {
    const { maxSteps } = this.#caller.pageBounds
    if (++this.#steps >= maxSteps) this.#isOver = true
    if (!waited && this.#steps % stepsBetweenLooks !== 0) return undefined
    const now = performance.now()
    if (now >= this.#endsAtMs) this.#isOver = true
    return now >= slice.startedAtMs + sliceMs ? this.#rest() : undefined
  }

  async #rest(): Promise<void> {
    await nextSlice()
    this.#caller.throwIfAbandoned()
  }
}
