/** How late the event loop is: a timer is asked for every 100 ms, and the time by which it comes later is the delay. */
import { Histogram, type HistogramFigures } from './histogram.ts'

const lookMs = 100

export class LoopDelay {
  readonly #delays = new Histogram()
  readonly #timer: NodeJS.Timeout
  #dueMs = performance.now() + lookMs

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.#delays.observe(Math.max(0, now - this.#dueMs))
      this.#dueMs = now + lookMs
    }, lookMs).unref()
  }

  figures(): HistogramFigures {
    return this.#delays.figures()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
