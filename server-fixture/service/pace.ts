/** How fast walks go, and when a page of one ends. */
import { beginTurn, turnOver } from '../loop-turns.ts'

/** The bounds of one page. */
export interface PageBounds {
  /** Steps of a walk, shown or passed over. */
  readonly maxSteps: number
  /** Time, the turns of other work included. */
  readonly maxMs: number
}

/** A page that has taken this much ends early, with a token. */
export const defaultPageBounds: PageBounds = { maxSteps: 1_000_000, maxMs: 1000 }

const stepsBetweenLooks = 32

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
    beginTurn(now)
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
    const turn = turnOver(now)
    return turn && this.#rest(turn)
  }

  async #rest(turn: Promise<void>): Promise<void> {
    await turn
    this.#caller.throwIfAbandoned()
  }
}
