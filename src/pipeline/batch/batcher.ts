import type { BlobwireError } from '../../core/error.ts'
import type { Messages } from '../../schema/messages.ts'
import { malformedResponse } from '../../transport/errors.ts'
import type { Call, Settle } from '../../transport/transport.ts'
import { forward } from '../layer.ts'
import type { Entry, EntryOwner } from './entry.ts'
import { Flight } from './flight.ts'
import { Frame } from './frame.ts'
import { Linger } from './linger.ts'
import { movable } from './moving-stream.ts'
import { operationError } from './operation-error.ts'
import { entryOf } from './operation-of.ts'
import type { BatcherParts } from './parts.ts'
import { EntryQueue, type FrameBounds } from './queue.ts'
import { failureOf, isWorthResending } from './resend.ts'
import { meansNoSession, RouteChoice } from './route.ts'
import { SessionLink } from './session-link.ts'
import { isTooLarge, sendUnary } from './unary-link.ts'
import { FrameWindow } from './window.ts'

/**
 * A frame has no more than half of all calls under way, so that one frame is made here while the server carries out the
 * other: with all in one frame, each side would wait while the other works. Frames smaller than this cost more than that.
 */
const leastShare = 16

/**
 * Turns concurrent calls into frames on one session. A call is sent at once when nothing is under way; while as many
 * frames are in flight as the window allows, calls gather into the next. Where there is no session, the same batches go
 * as unary requests.
 */
export class Batcher implements EntryOwner {
  readonly #parts: BatcherParts
  readonly #queue = new EntryQueue()
  readonly #window: FrameWindow
  readonly choice: RouteChoice
  readonly #flight: Flight
  readonly #linger: Linger
  #link: SessionLink | undefined
  #nextId = 1
  #flushing = false
  #closed = false
  #stale = false
  /** Requests for what travels alone, where there is no session. */
  #aloneUnary = 0

  constructor(parts: BatcherParts) {
    this.#parts = parts
    this.#window = new FrameWindow(parts.options.framesInFlight)
    this.#flight = new Flight(this.#window)
    this.#linger = new Linger(parts.clock, parts.options.lingerMs, () => this.#flush())
    this.choice = new RouteChoice(parts.clock)
  }

  /** Frames that may be in flight, and the shortest round trip seen; for `client.stats()`. */
  get window(): { readonly size: number; readonly roundTripMs: number | undefined } {
    return this.#window
  }

  /** Operations that wait for their frame. */
  get queued(): number {
    return this.#queue.operations
  }

  /**
   * Takes a call; its answer goes to `settle`, by whichever way. Calls that are no operation, have headers of their own,
   * are atomic or are larger than the server takes go as single requests: a session would break over them.
   */
  submit(call: Call, settle: Settle): void {
    try {
      const entry = entryOf(call, settle, this.#parts.operations)
      const isSingle = entry === undefined || entry.bytes > this.#parts.limits().maxBatchBytes
      if (isSingle) forward(this.#parts.unary(call), settle)
      else this.#add(entry)
    } catch (error) {
      settle.fail(error)
    }
  }

  /** Lets go of the session; what waits has been ended by the deadline layer. */
  close(): void {
    this.#closed = true
    this.#linger.end()
    this.#queue.drain()
    this.#flight.clear()
    this.#link?.destroy()
  }

  #add(entry: Entry): void {
    this.#queue.checkRoom(entry, this.#parts.options)
    entry.owner = this
    entry.call.whenEnded(entry)
    this.#queue.push(entry)
    if (entry.alone || this.#window.hasRoom) this.#flushSoon()
  }

  /** After everything that is ready to run has run, so that calls made together travel together. */
  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    queueMicrotask(() => process.nextTick(() => this.#flush()))
  }

  #bounds(): FrameBounds {
    const { maxOperations, maxBytes } = this.#parts.options
    const limits = this.#parts.limits()
    const share = Math.max(leastShare, Math.ceil((this.#queue.operations + this.#flight.operations) / 2))
    return {
      maxOperations: Math.min(maxOperations, limits.maxBatchOperations, share),
      // Room for what stands once.
      maxBytes: Math.min(maxBytes, limits.maxBatchBytes - 1024)
    }
  }

  #flush(): void {
    this.#flushing = false
    const cancelled = this.#flight.takeCancelled()
    if (cancelled.length > 0) this.#link?.cancel(cancelled)
    if (this.#closed || this.#queue.operations === 0) return
    const lingers = this.#window.inFlight === 0 && !this.#queue.fills(this.#parts.options) && this.#linger.holds()
    if (lingers && !this.#queue.hasAlone) return
    const bySession = this.choice.route === 'session' || (this.choice.takeProbe() && this.#probe())
    if (bySession && !this.#connected().hasRoom) return
    this.#flushAlone(bySession)
    while (!lingers && this.#window.hasRoom && (!bySession || this.#link?.hasRoom)) {
      const entries = this.#queue.take(this.#bounds())
      if (entries.length === 0) return
      this.#linger.end()
      if (bySession) this.#sendFrame(entries)
      else this.#sendUnary(entries)
    }
  }

  /** What travels alone does not wait for the window, only for its own kind. */
  #flushAlone(bySession: boolean): void {
    const { framesInFlight } = this.#parts.options
    while (this.#flight.alone + this.#aloneUnary < framesInFlight && (!bySession || this.#link?.hasRoom)) {
      const entry = this.#queue.takeAlone()
      if (entry === undefined) return
      if (bySession) this.#sendFrame([entry])
      else this.#sendAlone(entry)
    }
  }

  async #sendAlone(entry: Entry): Promise<void> {
    this.#aloneUnary++
    await sendUnary([entry], this.#parts.unary)
    this.#aloneUnary--
    this.#flushSoon()
  }

  #sendFrame(entries: Entry[]): void {
    const { clock, counters } = this.#parts
    const frame = new Frame(entries, this.#nextId, clock.now())
    this.#nextId += frame.operations.length
    for (const entry of entries) entry.sends++
    counters.frames++
    counters.framedOperations += frame.operations.length
    this.#flight.add(frame)
    this.#link?.send(frame)
  }

  async #sendUnary(entries: Entry[]): Promise<void> {
    const { clock, unary } = this.#parts
    const sentAtMs = clock.now()
    this.#window.sent()
    await sendUnary(entries, unary)
    this.#window.answered(clock.now() - sentAtMs)
    this.#flushSoon()
  }

  /** Opens a session beside the unary requests; they go on until it stands. */
  #probe(): false {
    this.#connected()
    return false
  }

  #connected(): SessionLink {
    if (this.#link !== undefined) return this.#link
    const { clock, open, counters } = this.#parts
    counters.sessions++
    const opened = () => counters.sessions++
    const link: SessionLink = new SessionLink(movable(open, opened), clock, {
      isBusy: () => this.#flight.busy,
      onResponse: (response) => this.#receive(response),
      onRoom: () => this.#flushSoon(),
      onBroken: (error, established) => {
        if (this.#link === link) this.#broken(error, established)
      }
    })
    this.#link = link
    return link
  }

  #receive({ results }: Messages['SessionResponse']): void {
    this.choice.sessionWorks()
    const now = this.#parts.clock.now()
    if (results.length > 0) this.#flight.heard(now)
    let frame: Frame | undefined
    for (const { id, result } of results) {
      if (!frame?.owns(id)) frame = this.#flight.owner(id)
      if (frame === undefined || !this.#deliver(frame, id, result)) return this.#malformed(id, frame)
      if (this.#stale) return this.#renew()
      if (!frame.done) continue
      this.#flight.answered(frame, now)
      frame = undefined
    }
    // A frame has gone, or some of its operations are to be sent again.
    if (this.#queue.operations > 0) this.#flushSoon()
  }

  /** Gives a result to its call. What the server could not take because of the frame goes back into the queue. */
  #deliver(frame: Frame, id: number, result: Messages['OperationResult'] | undefined): boolean {
    const answer = result ?? {}
    const limit = answer.error?.detail?.limit
    if (limit?.limit === 'max_batch_operations' && limit.maximum > 0 && frame.operations.length > limit.maximum) {
      this.#parts.limits().maxBatchOperations = limit.maximum
      if (frame.entries.length > 1) return frame.giveBack(id, (entry) => this.#queue.putBack([entry]))
      // A batch of the application's is cut by who made it.
      if (answer.error) frame.entries[0]?.fail(operationError(answer.error))
    }
    if (answer.error?.code === 'unauthenticated' && this.#parts.refreshable && frame.entryOf(id)?.refreshed === false) {
      // Its token has expired since the session began: a new session asks for a new one.
      this.#stale = true
      return true
    }
    if (answer.error?.detail?.reason === 'batch_response_full' && frame.entries.length > 1) {
      return frame.giveBack(id, (entry) => this.#queue.push(entry))
    }
    return frame.take(id, answer)
  }

  #renew(): void {
    const link = this.#link
    for (const entry of this.#stale ? this.#flight.unanswered() : []) entry.refreshed = true
    this.#stale = false
    this.#broken(undefined, true)
    link?.destroy()
  }

  /**
   * A result that nothing waits for. What shares a frame with it fails, or everything in flight if it is of none: results
   * may have been taken for each other's. The session is left, and what else was in flight goes on another.
   */
  #malformed(id: number, frame: Frame | undefined): void {
    const error = malformedResponse(`a result for the id ${id}, which waits for none`)
    for (const entry of frame?.unanswered() ?? this.#flight.unanswered()) entry.fail(failureOf(error))
    this.#renew()
  }

  /** The session is over: what was not answered is sent again, by whichever way is left, or fails. */
  #broken(error: BlobwireError | undefined, established: boolean): void {
    this.#link = undefined
    const frames = this.#flight.clear()
    const noSession = error !== undefined && !established && meansNoSession(error)
    if (noSession) this.choice.sessionFails(error)
    else if (this.choice.route === 'unary') return
    if (error && established && isTooLarge(error)) return this.#sendSingly(frames, error)
    const waiting = frames.flatMap((frame) => frame.unanswered())
    const again: Entry[] = []
    for (const entry of waiting) {
      // What is told so was carried out by nobody.
      if (noSession && error.code === 'unimplemented') entry.sends--
      if (noSession || isWorthResending(entry, error, established)) again.push(entry)
      else entry.fail(failureOf(error))
    }
    this.#parts.counters.resent += again.length
    if (again.length > 0) this.#parts.resent()
    this.#queue.putBack(again)
    if (!noSession && !established && error !== undefined) {
      // It could not be opened: what waits for it shares its fate, as calls that share a connection do.
      for (const entry of this.#queue.drain()) entry.fail(failureOf(error))
    }
    if (this.#queue.operations > 0) this.#flushSoon()
  }

  /**
   * The session broke over a frame, or an answer, that is too large, and does not say which. As requests of their own they
   * are halved until only the one to blame fails.
   */
  #sendSingly(frames: readonly Frame[], { details: { limit } }: BlobwireError): void {
    const limits = this.#parts.limits()
    if (limit?.limit === 'max_batch_bytes') limits.maxBatchBytes = Math.min(limits.maxBatchBytes, limit.maximum)
    for (const frame of frames) {
      const entries = frame.unanswered()
      this.#parts.counters.resent += entries.length
      if (entries.length > 0) this.#sendUnary(entries)
    }
    this.#flushSoon()
  }

  /** @internal The call has ended before its answer. */
  entryEnded(entry: Entry): void {
    if (entry.queued) return this.#queue.forget(entry)
    this.#flight.end(entry)
    const { clock, options } = this.#parts
    if (this.#flight.isMute(clock.now(), 2 * options.framesInFlight)) this.#renew()
    this.#flushSoon()
  }
}
