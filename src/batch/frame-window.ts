/** A frame each of these many milliseconds of a round trip, so that a call waits no longer than this for its frame. */
const msPerFrame = 1
/** Two, so that one is being answered while the next is made; also what a window begins with. */
const leastFrames = 2
/** Round trips are forgotten after so many frames, in two halves, so that a faster or slower path is noticed. */
const memoryFrames = 64

/**
 * How many frames may be in flight. A long round trip needs many, or calls would wait for it twice: once to be sent,
 * once to be answered. A short one needs two: each more only makes frames smaller.
 *
 * The shortest of the last round trips counts, as in BBR (draft-cardwell-iccrg-bbr-congestion-control), because the
 * others contain the time spent waiting in the server's queue, which more frames in flight would only lengthen.
 */
export class FrameWindow {
  readonly #maxFrames: number
  #shortestMs = Number.POSITIVE_INFINITY
  #shortestBeforeMs = Number.POSITIVE_INFINITY
  #seen = 0
  #inFlight = 0

  /** `maxFrames` is the option `framesInFlight`. */
  constructor(maxFrames: number) {
    this.#maxFrames = maxFrames
  }

  /** Frames that have not been answered. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** The shortest of the last round trips, in milliseconds; undefined before the first. */
  get roundTripMs(): number | undefined {
    const shortest = Math.min(this.#shortestMs, this.#shortestBeforeMs)
    return shortest === Number.POSITIVE_INFINITY ? undefined : shortest
  }

  /** Frames that may be in flight. */
  get size(): number {
    const wanted = Math.ceil((this.roundTripMs ?? 0) / msPerFrame)
    return Math.min(this.#maxFrames, Math.max(leastFrames, wanted))
  }

  get hasRoom(): boolean {
    return this.#inFlight < this.size
  }

  sent(): void {
    this.#inFlight++
  }

  /** The frame was answered, this long after it was sent. */
  answered(roundTripMs: number): void {
    this.#inFlight--
    if (++this.#seen % (memoryFrames / 2) === 0) {
      this.#shortestBeforeMs = this.#shortestMs
      this.#shortestMs = Number.POSITIVE_INFINITY
    }
    this.#shortestMs = Math.min(this.#shortestMs, roundTripMs)
  }

  /** The frame will not be answered. */
  lost(): void {
    this.#inFlight--
  }
}
