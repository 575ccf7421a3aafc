/** The wait of the first call of a frame for others, while nothing is under way (`batch.lingerMs`). */
import type { Clock } from '../core/clock.ts'

export class Linger {
  readonly #clock: Clock
  readonly #lingerMs: number
  readonly #onOver: () => void
  #cancel: (() => void) | undefined
  #isOver = false

  /** `lingerMs` is above 0. */
  constructor(clock: Clock, lingerMs: number, onOver: () => void) {
    this.#clock = clock
    this.#lingerMs = lingerMs
    this.#onOver = onOver
  }

  /** Whether the frame has to wait longer; begins the wait where it has not begun. */
  holds(): boolean {
    if (this.#isOver) return false
    const over = () => {
      this.#cancel = undefined
      this.#isOver = true
      this.#onOver()
    }
    this.#cancel ??= this.#clock.schedule(this.#lingerMs, over)
    return true
  }

  /** The frame has been sent. */
  end(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#isOver = false
  }
}
