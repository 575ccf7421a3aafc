/** How many frames may be in flight. */
import type { ResolvedBatchOptions } from '../options/types.ts'

type FrameOptions = Pick<ResolvedBatchOptions, 'framesInFlight'>

/** One frame for each of these many milliseconds of a round trip, so that a call waits no longer than this for its frame. */
const msPerFrame = 1
/** Two, so that one frame is answered while the next is made; also the first size of a window. */
const leastFrames = 2
/** Round trips are forgotten after so many frames, in two halves, so that a faster or slower path is noticed. */
const memoryFrames = 64

/**
 * A long round trip needs many frames, or calls would wait for it twice: once to be sent, once to be answered. A short one
 * needs two: each more only makes frames smaller.
 *
 * The shortest of the last round trips counts, as in BBR (draft-cardwell-iccrg-bbr-congestion-control), because the
 * others contain the time spent waiting in the server's queue, which more frames in flight would only lengthen.
 */
export class FrameWindow {
  readonly #options: FrameOptions
  #shortestMs = Number.POSITIVE_INFINITY
  #shortestBeforeMs = Number.POSITIVE_INFINITY
  #seen = 0
  /** Frames that have not been answered. */
  inFlight = 0
  /** Frames that may be in flight. */
  size: number

  /** The options may change. */
  constructor(options: FrameOptions) {
    this.#options = options
    this.size = Math.min(options.framesInFlight, leastFrames)
  }

  /** The shortest of the last round trips, in milliseconds; undefined before the first. */
  get roundTripMs(): number | undefined {
    const shortest = Math.min(this.#shortestMs, this.#shortestBeforeMs)
    return shortest === Number.POSITIVE_INFINITY ? undefined : shortest
  }

  get hasRoom(): boolean {
    return this.inFlight < this.size
  }

  /** The frame was answered, this long after it was sent. */
  answered(roundTripMs: number): void {
    this.inFlight--
    if (++this.#seen % (memoryFrames / 2) === 0) {
      this.#shortestBeforeMs = this.#shortestMs
      this.#shortestMs = Number.POSITIVE_INFINITY
    }
    this.#shortestMs = Math.min(this.#shortestMs, roundTripMs)
    const wanted = Math.ceil(Math.min(this.#shortestMs, this.#shortestBeforeMs) / msPerFrame)
    this.size = Math.min(this.#options.framesInFlight, Math.max(leastFrames, wanted))
  }
}
