/** The wait of the first call of a frame for others, while nothing is under way (`batch.lingerMs`). */
import type { Clock } from '../core/clock.ts'
import type { ResolvedBatchOptions } from '../options/types.ts'

export class Linger {
  readonly #clock: Clock
  readonly #options: Pick<ResolvedBatchOptions, 'lingerMs'>
  readonly #onOver: () => void
  #cancel: (() => void) | undefined
  #isOver = false

  /** The options may change; 0 = no wait. */
  constructor(clock: Clock, options: Pick<ResolvedBatchOptions, 'lingerMs'>, onOver: () => void) {
    this.#clock = clock
    this.#options = options
    this.#onOver = onOver
  }

  /** Whether the frame has to wait longer; begins the wait where it has not begun. */
  holds(): boolean {
    if (this.#isOver || this.#options.lingerMs === 0) return false
    const over = () => {
      this.#cancel = undefined
      this.#isOver = true
      this.#onOver()
    }
    this.#cancel ??= this.#clock.schedule(this.#options.lingerMs, over)
    return true
  }

  /** The frame has been sent. */
  end(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#isOver = false
  }
}
