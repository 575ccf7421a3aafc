/** Frames that were sent on a session and have not been answered, and their share of the window. */
import type { Frame } from './frame.ts'
import type { FrameWindow } from './frame-window.ts'
import type { PendingOperation } from './pending-operation.ts'

/** A session without any result for so long is unresponsive. */
const unresponsiveMs = 1000
/** The same for frames whose operations may take long. */
const slowUnresponsiveMs = 10_000

const isLate = (frame: Frame) => frame.isLate

/** Unbatchable frames take nothing of the window: their operations may take long, and the others must not wait for that. */
export class InFlightFrames {
  readonly #window: FrameWindow
  #frames: Frame[] = []
  /** Frames whose calls have all ended; the server still owes their results. */
  readonly #abandoned = new Set<Frame>()
  #cancelled: number[] = []
  #lastActivityMs = 0
  #unbatchable = 0

  constructor(window: FrameWindow) {
    this.#window = window
  }

  /** Whether a call waits for a frame. */
  get busy(): boolean {
    return this.#frames.length > this.#abandoned.size
  }

  /** Operations in frames that have not been answered. */
  get operations(): number {
    let operations = 0
    for (const frame of this.#frames) operations += frame.operations.length
    return operations
  }

  /** Operations that wait for their results. */
  unanswered(): PendingOperation[] {
    return this.#frames.flatMap((frame) => frame.unanswered())
  }

  /** Unbatchable frames whose calls wait. */
  get unbatchable(): number {
    return this.#unbatchable
  }

  add(frame: Frame): void {
    this.#frames.push(frame)
    if (frame.unbatchable) this.#unbatchable++
    else this.#window.inFlight++
  }

  /** Takes a frame back that could not be written. */
  remove(frame: Frame): void {
    this.#frames.splice(this.#frames.indexOf(frame), 1)
    this.#release(frame)
  }

  /** The frame with the operation of this id. */
  owner(id: number): Frame | undefined {
    return this.#frames.find((frame) => frame.owns(id))
  }

  /** Repositories whose batches hold up a frame that was answered in part: their next operations wait for that. */
  heldRepositories(): ReadonlySet<string> | undefined {
    if (!this.#frames.some(isLate)) return undefined
    const late = this.#frames.filter(isLate)
    return new Set(late.flatMap((frame) => frame.unanswered().map(({ repository }) => repository)))
  }

  /** A result has come. */
  noteActivity(nowMs: number): void {
    this.#lastActivityMs = nowMs
  }

  /**
   * Results of a frame have come, but not all. A frame of several repositories leaves the window then, so that a slow
   * repository does not hold up the others.
   */
  answeredInPart(frame: Frame, nowMs: number): void {
    if (frame.isLate || frame.batches.length === 1 || this.#abandoned.has(frame)) return
    this.#window.answered(nowMs - frame.sentAtMs)
    frame.isLate = true
  }

  /** All results of a frame have come. */
  answered(frame: Frame, nowMs: number): void {
    this.#frames.splice(this.#frames.indexOf(frame), 1)
    if (this.#abandoned.delete(frame) || frame.isLate) return
    if (frame.unbatchable) this.#unbatchable--
    else this.#window.answered(nowMs - frame.sentAtMs)
  }

  /**
   * A call has ended before its answer. A frame whose calls have all ended leaves the window, so that later calls do not
   * wait for it.
   */
  end(operation: PendingOperation): void {
    // The last frame, because a requeued operation is in a second one.
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
   * Whether the session is unresponsive: no result has come for so long that none will, or for none of more than
   * `maxAbandoned` frames that were cancelled. The connection may well be alive: a proxy whose server is gone, a reader
   * that has lost its place among the bytes.
   */
  isUnresponsive(nowMs: number, maxAbandoned: number): boolean {
    const silent = this.#frames.filter(({ sentAtMs }) => sentAtMs >= this.#lastActivityMs)
    const isLate = ({ unbatchable, sentAtMs }: Frame) =>
      nowMs - sentAtMs >= (unbatchable ? slowUnresponsiveMs : unresponsiveMs)
    return silent.some(isLate) || (this.#abandoned.size > maxAbandoned && silent.length === this.#frames.length)
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
    if (frame.isLate) return
    if (frame.unbatchable) this.#unbatchable--
    else this.#window.inFlight--
  }
}
