import type { Clock } from '../core/clock.ts'

/** The wait of the first call of a frame for others, while nothing is under way (`batch.lingerMs`). */
export class Linger {
  readonly #clock: Clock
  readonly #lingerMs: number
  readonly #onOver: () => void
  #cancel: (() => void) | undefined
  /** What waits has waited. */
  #isOver = false

  constructor(clock: Clock, lingerMs: number, onOver: () => void) {
    this.#clock = clock
    this.#lingerMs = lingerMs
    this.#onOver = onOver
  }

  /** Whether what waits has to wait longer; begins the wait where it has not begun. */
  holds(): boolean {
    if (this.#lingerMs === 0 || this.#isOver) return false
    const over = () => {
      this.#cancel = undefined
      this.#isOver = true
      this.#onOver()
    }
    // Until the frame is sent, there may be nothing else that would keep the process from ending.
    this.#cancel ??= this.#clock.schedule(this.#lingerMs, over, true)
    return true
  }

  /** What waited has gone. */
  end(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#isOver = false
  }
}
