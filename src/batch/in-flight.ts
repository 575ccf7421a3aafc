import type { Frame } from './frame.ts'
import type { FrameWindow } from './frame-window.ts'
import type { PendingOperation } from './pending-operation.ts'

/** A server that says nothing for so long, not even to others, says nothing. */
const unresponsiveMs = 1000
/** The same where it may be busy with what takes long. */
const slowUnresponsiveMs = 10_000

/**
 * Frames that were sent on a session and have not been answered, and what they take of the window. Frames that travel
 * alone take nothing of it: what they ask for may take long, and the others must not wait for that.
 */
export class InFlightFrames {
  readonly #window: FrameWindow
  #frames: Frame[] = []
  /** Frames without anybody who waits; the server still owes their results. */
  readonly #abandoned = new Set<Frame>()
  #cancelled: number[] = []
  #lastActivityMs = 0
  #unbatchable = 0

  constructor(window: FrameWindow) {
    this.#window = window
  }

  /** Whether anybody waits for a frame. */
  get busy(): boolean {
    return this.#frames.length > this.#abandoned.size
  }

  /** Operations in frames that have not been answered. */
  get operations(): number {
    let operations = 0
    for (const frame of this.#frames) operations += frame.operations.length
    return operations
  }

  /** Entries that wait for their results. */
  unanswered(): PendingOperation[] {
    return this.#frames.flatMap((frame) => frame.unanswered())
  }

  /** Frames that travel alone and that somebody waits for. */
  get unbatchable(): number {
    return this.#unbatchable
  }

  add(frame: Frame): void {
    this.#frames.push(frame)
    if (frame.unbatchable) this.#unbatchable++
    else this.#window.sent()
  }

  /** The frame that has the operation of this id. */
  owner(id: number): Frame | undefined {
    return this.#frames.find((frame) => frame.owns(id))
  }

  /** A result has come. */
  noteActivity(nowMs: number): void {
    this.#lastActivityMs = nowMs
  }

  /** All results of a frame have come. */
  answered(frame: Frame, nowMs: number): void {
    this.#frames.splice(this.#frames.indexOf(frame), 1)
    if (this.#abandoned.delete(frame)) return
    if (frame.unbatchable) this.#unbatchable--
    else this.#window.answered(nowMs - frame.sentAtMs)
  }

  /**
   * A call has ended before its answer. A frame that nobody waits for any more leaves the window: calls that come later
   * must not wait for it either.
   */
  end(operation: PendingOperation): void {
    // The last, because what a server gave back is in a second frame.
    const frame = this.#frames.findLast(({ pending }) => pending.includes(operation))
    if (frame === undefined) return
    if (!this.#abandoned.has(frame) && frame.unanswered().length === 0) {
      this.#abandoned.add(frame)
      this.#release(frame)
    }
    for (const id of frame.idsOf(operation)) this.#cancelled.push(id)
  }

  /** Ids of operations that the server is to stop, once each. */
  takeCancelled(): number[] {
    const ids = this.#cancelled
    this.#cancelled = []
    return ids
  }

  /**
   * Nothing at all has come for so long that nothing will: not for a frame that anybody answers at once, or not for one
   * that may take its time, or for none of more than `maxFrames` that were cancelled. The connection may well be alive:
   * a proxy whose server is gone, a reader that has lost its place among the bytes.
   */
  isUnresponsive(nowMs: number, maxFrames: number): boolean {
    const unheard = this.#frames.filter(({ sentAtMs }) => sentAtMs >= this.#lastActivityMs)
    if (
      unheard.some(
        ({ unbatchable, sentAtMs }) => nowMs - sentAtMs >= (unbatchable ? slowUnresponsiveMs : unresponsiveMs)
      )
    )
      return true
    return this.#abandoned.size > maxFrames && unheard.length === this.#frames.length
  }

  /** Forgets all frames; returns those that were in flight. */
  clear(): Frame[] {
    const frames = this.#frames
    for (const frame of frames) if (!this.#abandoned.has(frame)) this.#release(frame)
    this.#frames = []
    this.#abandoned.clear()
    return frames
  }

  #release(frame: Frame): void {
    if (frame.unbatchable) this.#unbatchable--
    else this.#window.lost()
  }
}
