import { rulesOutSession, SessionFallback } from '../balance/fallback.ts'
import { forward } from '../call/interceptor.ts'
import type { BlobwireError } from '../core/error.ts'
import { afterReady } from '../platform/schedule.ts'
import type { Messages } from '../schema/messages.ts'
import { acrossConnections } from '../session/draining-stream.ts'
import { Session } from '../session/session.ts'
import { malformedResponse } from '../transport/errors.ts'
import type { Call, Sink } from '../transport/transport.ts'
import type { BatcherContext } from './batcher-context.ts'
import { Frame } from './frame.ts'
import { FrameWindow } from './frame-window.ts'
import { InFlightFrames } from './in-flight.ts'
import { Linger } from './linger.ts'
import { operationError } from './operation-error.ts'
import type { PendingOperation, PendingOperationOwner } from './pending-operation.ts'
import { type FrameBounds, OperationQueue } from './queue.ts'
import { failureOf, isWorthResending } from './resend.ts'
import { operationOf } from './to-operation.ts'
import { isTooLarge, sendUnary } from './unary-fallback.ts'

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
export class Batcher implements PendingOperationOwner {
  readonly #context: BatcherContext
  readonly #queue = new OperationQueue()
  readonly #window: FrameWindow
  readonly choice: SessionFallback
  readonly #inFlight: InFlightFrames
  readonly #linger: Linger
  #session: Session | undefined
  #nextId = 1
  #flushing = false
  #closed = false
  #needsNewToken = false
  /** Requests for what travels alone, where there is no session. */
  #unaryUnbatchable = 0

  constructor(context: BatcherContext) {
    this.#context = context
    this.#window = new FrameWindow(context.options.framesInFlight)
    this.#inFlight = new InFlightFrames(this.#window)
    this.#linger = new Linger(context.clock, context.options.lingerMs, () => this.#flush())
    this.choice = new SessionFallback(context.clock)
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
  submit(call: Call, sink: Sink): void {
    try {
      const operation = operationOf(call, sink, this.#context.operations)
      const isSingle = operation === undefined || operation.bytes > this.#context.limits().maxBatchBytes
      if (isSingle) forward(this.#context.unary(call), sink)
      else this.#add(operation)
    } catch (error) {
      sink.fail(error)
    }
  }

  /** Lets go of the session; what waits has been ended by the deadline layer. */
  close(): void {
    this.#closed = true
    this.#linger.end()
    this.#queue.drain()
    this.#inFlight.clear()
    this.#session?.destroy()
  }

  #add(operation: PendingOperation): void {
    this.#queue.checkRoom(operation, this.#context.options)
    operation.owner = this
    operation.call.onCancel(operation)
    this.#queue.push(operation)
    if (operation.unbatchable || this.#window.hasRoom) this.#flushSoon()
  }

  /** After everything that is ready to run has run, so that calls made together travel together. */
  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    afterReady(() => this.#flush())
  }

  #bounds(): FrameBounds {
    const { maxOperations, maxBytes } = this.#context.options
    const limits = this.#context.limits()
    const share = Math.max(leastShare, Math.ceil((this.#queue.operations + this.#inFlight.operations) / 2))
    return {
      maxOperations: Math.min(maxOperations, limits.maxBatchOperations, share),
      // Room for what stands once.
      maxBytes: Math.min(maxBytes, limits.maxBatchBytes - 1024)
    }
  }

  #flush(): void {
    this.#flushing = false
    const cancelled = this.#inFlight.takeCancelled()
    if (cancelled.length > 0) this.#session?.cancel(cancelled)
    if (this.#closed || this.#queue.operations === 0) return
    const lingers = this.#window.inFlight === 0 && !this.#queue.fills(this.#context.options) && this.#linger.holds()
    if (lingers && !this.#queue.hasUnbatchable) return
    const bySession = this.choice.route === 'session' || (this.choice.takeProbe() && this.#probe())
    if (bySession && !this.#connected().hasRoom) return
    this.#flushUnbatchable(bySession)
    while (!lingers && this.#window.hasRoom && (!bySession || this.#session?.hasRoom)) {
      const pending = this.#queue.take(this.#bounds())
      if (pending.length === 0) return
      this.#linger.end()
      if (bySession) this.#sendFrame(pending)
      else this.#sendUnary(pending)
    }
  }

  /** What travels alone does not wait for the window, only for its own kind. */
  #flushUnbatchable(bySession: boolean): void {
    const { framesInFlight } = this.#context.options
    while (
      this.#inFlight.unbatchable + this.#unaryUnbatchable < framesInFlight &&
      (!bySession || this.#session?.hasRoom)
    ) {
      const operation = this.#queue.takeUnbatchable()
      if (operation === undefined) return
      if (bySession) this.#sendFrame([operation])
      else this.#sendUnbatchable(operation)
    }
  }

  async #sendUnbatchable(operation: PendingOperation): Promise<void> {
    this.#unaryUnbatchable++
    await sendUnary([operation], this.#context.unary)
    this.#unaryUnbatchable--
    this.#flushSoon()
  }

  #sendFrame(pending: PendingOperation[]): void {
    const { clock, counters } = this.#context
    const frame = new Frame(pending, this.#nextId, clock.now())
    this.#nextId += frame.operations.length
    for (const operation of pending) operation.sends++
    counters.frames++
    counters.framedOperations += frame.operations.length
    this.#inFlight.add(frame)
    this.#session?.send(frame)
  }

  async #sendUnary(pending: PendingOperation[]): Promise<void> {
    const { clock, unary } = this.#context
    const sentAtMs = clock.now()
    this.#window.sent()
    await sendUnary(pending, unary)
    this.#window.answered(clock.now() - sentAtMs)
    this.#flushSoon()
  }

  /** Opens a session beside the unary requests; they go on until it stands. */
  #probe(): false {
    this.#connected()
    return false
  }

  #connected(): Session {
    if (this.#session !== undefined) return this.#session
    const { clock, open, counters } = this.#context
    counters.sessions++
    const opened = () => counters.sessions++
    const session: Session = new Session(acrossConnections(open, opened), clock, {
      isBusy: () => this.#inFlight.busy,
      onResponse: (response) => this.#receive(response),
      onRoom: () => this.#flushSoon(),
      onBroken: (error, established) => {
        if (this.#session === session) this.#broken(error, established)
      }
    })
    this.#session = session
    return session
  }

  #receive({ results }: Messages['SessionResponse']): void {
    this.choice.sessionWorks()
    const now = this.#context.clock.now()
    if (results.length > 0) this.#inFlight.noteActivity(now)
    let frame: Frame | undefined
    for (const { id, result } of results) {
      if (!frame?.owns(id)) frame = this.#inFlight.owner(id)
      if (frame === undefined || !this.#deliver(frame, id, result)) return this.#malformed(id, frame)
      if (this.#needsNewToken) return this.#renew()
      if (!frame.done) continue
      this.#inFlight.answered(frame, now)
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
      this.#context.limits().maxBatchOperations = limit.maximum
      if (frame.pending.length > 1) return frame.requeue(id, (operation) => this.#queue.unshift([operation]))
      // A batch of the application's is cut by who made it.
      if (answer.error) frame.pending[0]?.fail(operationError(answer.error))
    }
    if (
      answer.error?.code === 'unauthenticated' &&
      this.#context.refreshable &&
      frame.operationOf(id)?.refreshed === false
    ) {
      // Its token has expired since the session began: a new session asks for a new one.
      this.#needsNewToken = true
      return true
    }
    if (answer.error?.detail?.reason === 'batch_response_full' && frame.pending.length > 1) {
      return frame.requeue(id, (operation) => this.#queue.push(operation))
    }
    return frame.take(id, answer)
  }

  #renew(): void {
    const session = this.#session
    for (const operation of this.#needsNewToken ? this.#inFlight.unanswered() : []) operation.refreshed = true
    this.#needsNewToken = false
    this.#broken(undefined, true)
    session?.destroy()
  }

  /**
   * A result that nothing waits for. What shares a frame with it fails, or everything in flight if it is of none: results
   * may have been taken for each other's. The session is left, and what else was in flight goes on another.
   */
  #malformed(id: number, frame: Frame | undefined): void {
    const error = malformedResponse(`a result for the id ${id}, which waits for none`)
    for (const operation of frame?.unanswered() ?? this.#inFlight.unanswered()) operation.fail(failureOf(error))
    this.#renew()
  }

  /** The session is over: what was not answered is sent again, by whichever way is left, or fails. */
  #broken(error: BlobwireError | undefined, established: boolean): void {
    this.#session = undefined
    const frames = this.#inFlight.clear()
    const noSession = error !== undefined && !established && rulesOutSession(error)
    if (noSession) this.choice.sessionFails(error)
    else if (this.choice.route === 'unary') return
    if (error && established && isTooLarge(error)) return this.#sendSingly(frames, error)
    const waiting = frames.flatMap((frame) => frame.unanswered())
    const again: PendingOperation[] = []
    for (const operation of waiting) {
      // What is told so was carried out by nobody.
      if (noSession && error.code === 'unimplemented') operation.sends--
      if (noSession || isWorthResending(operation, error, established)) again.push(operation)
      else operation.fail(failureOf(error))
    }
    this.#context.counters.resent += again.length
    if (again.length > 0) this.#context.resent()
    this.#queue.unshift(again)
    if (!noSession && !established && error !== undefined) {
      // It could not be opened: what waits for it shares its fate, as calls that share a connection do.
      for (const operation of this.#queue.drain()) operation.fail(failureOf(error))
    }
    if (this.#queue.operations > 0) this.#flushSoon()
  }

  /**
   * The session broke over a frame, or an answer, that is too large, and does not say which. As requests of their own they
   * are halved until only the one to blame fails.
   */
  #sendSingly(frames: readonly Frame[], { details: { limit } }: BlobwireError): void {
    const limits = this.#context.limits()
    if (limit?.limit === 'max_batch_bytes') limits.maxBatchBytes = Math.min(limits.maxBatchBytes, limit.maximum)
    for (const frame of frames) {
      const pending = frame.unanswered()
      this.#context.counters.resent += pending.length
      if (pending.length > 0) this.#sendUnary(pending)
    }
    this.#flushSoon()
  }

  /** @internal The call has ended before its answer. */
  operationCancelled(operation: PendingOperation): void {
    if (operation.queued) return this.#queue.discard(operation)
    this.#inFlight.end(operation)
    const { clock, options } = this.#context
    if (this.#inFlight.isUnresponsive(clock.now(), 2 * options.framesInFlight)) this.#renew()
    this.#flushSoon()
  }
}
