/** Gathers concurrent calls into frames on one session, or into unary requests where there is no session. */
import { Fallback } from '../balance/fallback.ts'
import type { Call, Sink } from '../call/call.ts'
import { forward, type UnaryInvoker } from '../call/interceptor.ts'
import type { AnswerTimes } from '../core/answer-times.ts'
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import { asBlobwireError, type BlobwireError } from '../core/error.ts'
import type { ResolvedBatchOptions } from '../options/types.ts'
import { afterReady } from '../platform/schedule.ts'
import type { RetryBudget } from '../retry/budget.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import type { OpenStream } from '../session/session.ts'
import type { Report } from '../telemetry/client-event.ts'
import type { BatchingMode, UnframedReason } from './batching-mode.ts'
import { FrameWindow } from './frame-window.ts'
import { Linger } from './linger.ts'
import type { PendingOperation, PendingOperationOwner } from './pending-operation.ts'
import { PriorityQueue } from './priority-queue.ts'
import type { FrameBounds } from './queue.ts'
import { SessionFrames } from './session-frames.ts'
import type { SessionFramesOwner } from './session-frames-context.ts'
import type { WatchListener } from './session-watches.ts'
import { envelopeBytes } from './split.ts'
import { type OperationContext, operationOf } from './to-operation.ts'
import { alike, sendUnary } from './unary-fallback.ts'

/**
 * A frame has no more than half of all calls under way, so that the client makes one frame while the server carries out
 * the other: with all calls in one frame, each side would wait while the other works. Frames smaller than this cost more
 * than that.
 */
const leastShare = 16

/** Everything that a batcher is made from. */
export interface BatcherContext {
  readonly clock: Clock
  readonly counters: Counters
  readonly options: ResolvedBatchOptions
  /** The server's limits, as far as they are known; lowered where the server says so. */
  readonly limits: () => Messages['Limits']
  readonly operations: OperationContext
  /** Sends a single request. */
  readonly unary: UnaryInvoker
  readonly open: OpenStream
  /** A session that is opened again may have a fresh token. */
  readonly refreshable: boolean
  /** Operations that are sent again are retries. */
  readonly budget: RetryBudget
  /** Those of the endpoint. */
  readonly answers: AnswerTimes
  /** Takes the events of sessions. */
  readonly report: Report
}

/**
 * A call is sent at once when nothing is under way; while as many frames are in flight as the window allows, calls gather
 * into the next frame.
 */
export class Batcher implements PendingOperationOwner, SessionFramesOwner {
  readonly #context: BatcherContext
  readonly #queue = new PriorityQueue()
  readonly #window: FrameWindow
  readonly #fallback: Fallback
  readonly #frames: SessionFrames
  readonly #linger: Linger
  #isFlushScheduled = false
  #closed = false
  /** Unary requests of unbatchable calls, where there is no session. */
  #unaryUnbatchable = 0

  constructor(context: BatcherContext) {
    const { clock, counters, options, open, limits, refreshable, budget, answers, report } = context
    this.#context = context
    this.#window = new FrameWindow(options)
    this.#fallback = new Fallback(clock, (reason) => report('session_unavailable', { reason }))
    this.#linger = new Linger(clock, options, () => this.#flush())
    this.#frames = new SessionFrames({
      clock,
      counters,
      open,
      limits,
      refreshable,
      budget,
      answers,
      report,
      window: this.#window,
      fallback: this.#fallback,
      maxAbandoned: 2 * options.framesInFlight,
      owner: this
    })
  }

  /** How calls travel now. */
  get mode(): BatchingMode {
    return this.#fallback.isActive ? 'unary' : 'session'
  }

  /** Why there is no session; empty where there is one. */
  get noSessionReason(): string {
    return this.#fallback.reason
  }

  /** Frames that may be in flight, and the shortest round trip seen. */
  get window(): { readonly size: number; readonly roundTripMs: number | undefined } {
    return this.#window
  }

  /** Operations that wait for their frame. */
  get queued(): number {
    return this.#queue.operations
  }

  /** Nothing waits and nothing is under way. */
  get isIdle(): boolean {
    return (
      this.#queue.operations + this.#frames.operations + this.#window.inFlight + this.#unaryUnbatchable === 0 &&
      this.#frames.watches === 0
    )
  }

  /**
   * Takes a call; its answer goes to `sink`. Calls that are no operation, are atomic or are larger than the server takes go
   * as requests of their own: a session would break over them.
   */
  submit(call: Call, sink: Sink): void {
    try {
      const found = operationOf(call, sink, this.#context.operations)
      if (typeof found === 'string') return this.#sendAlone(call, sink, found)
      const reason = this.#whyUnframed(found)
      if (reason === undefined) this.#add(found)
      else this.#sendAlone(call, sink, reason)
    } catch (error) {
      sink.fail(error)
    }
  }

  /** Ends the session where nothing is under way. */
  async endIdle(): Promise<void> {
    if (this.isIdle) await this.#frames.end()
  }

  /** Begins a watch; see `SessionFrames.watch`. It tries a session also where calls have found none. */
  watch(request: Init<Messages['WatchRefsRequest']>, listener: WatchListener): () => void {
    return this.#frames.watch(request, listener)
  }

  /** Sends the watches elsewhere: their listeners hear the end of a session. */
  moveWatches(): void {
    this.#frames.moveWatches()
  }

  /** Closes the session; calls that wait have been cancelled before. */
  close(): void {
    this.#closed = true
    this.#linger.end()
    this.#queue.drain()
    this.#frames.close()
  }

  operationCancelled(operation: PendingOperation): void {
    if (operation.queued) return this.#queue.discard(operation)
    this.#frames.cancel(operation)
    this.#flushSoon()
  }

  onRoom(): void {
    if (this.#queue.operations > 0) this.#flushSoon()
  }

  requeue(operations: readonly PendingOperation[], place: 'first' | 'last'): void {
    const framed: PendingOperation[] = []
    for (const operation of operations) {
      const reason = this.#whyUnframed(operation)
      if (reason === undefined) {
        framed.push(operation)
        continue
      }
      this.#context.counters.unframed[reason]++
      this.sendUnary([operation])
    }
    if (place === 'first') this.#queue.unshift(framed)
    else for (const operation of framed) this.#queue.push(operation)
  }

  failWaiting(error: BlobwireError): void {
    for (const operation of this.#queue.drain()) operation.fail(error)
  }

  sendUnary(pending: readonly PendingOperation[]): void {
    for (const group of alike(pending)) void this.#sendGroup(group)
  }

  /** Why an operation cannot travel in a frame; undefined = it can. */
  #whyUnframed(operation: PendingOperation): UnframedReason | undefined {
    if (operation.bytes > this.#context.limits().maxBatchBytes) return 'tooLarge'
    if (operation.headers === undefined || !this.#frames.plainOnly) return undefined
    operation.leaveOutObserverHeaders()
    return operation.headers === undefined ? undefined : 'headers'
  }

  #sendAlone(call: Call, sink: Sink, reason: UnframedReason): void {
    this.#context.counters.unframed[reason]++
    forward(this.#context.unary(call), sink)
  }

  async #sendGroup(pending: readonly PendingOperation[]): Promise<void> {
    const { clock, unary } = this.#context
    const sentAtMs = clock.now()
    this.#window.inFlight++
    await sendUnary(pending, unary)
    this.#window.answered(clock.now() - sentAtMs)
    this.#flushSoon()
  }

  #add(operation: PendingOperation): void {
    this.#queue.checkRoom(operation, this.#context.options)
    operation.owner = this
    operation.call.onCancel(operation)
    this.#queue.push(operation)
    if (operation.unbatchable || this.#window.hasRoom) this.#flushSoon()
  }

  /** Flushes after everything that is ready to run has run, so that calls made together travel together. */
  #flushSoon(): void {
    if (this.#isFlushScheduled) return
    this.#isFlushScheduled = true
    afterReady(() => this.#flush())
  }

  #bounds(bySession: boolean): FrameBounds {
    const { maxOperations, maxBytes } = this.#context.options
    const limits = this.#context.limits()
    const share = Math.max(leastShare, Math.ceil((this.#queue.operations + this.#frames.operations) / 2))
    return {
      maxOperations: Math.min(maxOperations, limits.maxBatchOperations, share),
      maxBytes: Math.min(maxBytes, limits.maxBatchBytes - envelopeBytes),
      maxRepositories: bySession && !this.#frames.plainOnly ? Number.POSITIVE_INFINITY : 1
    }
  }

  /** Runs outside of every call: an exception fails the calls that wait, and nothing else. */
  #flush(): void {
    this.#isFlushScheduled = false
    try {
      this.#flushQueue()
    } catch (error) {
      this.failWaiting(asBlobwireError(error))
    }
  }

  #flushQueue(): void {
    this.#frames.flushCancelled()
    if (this.#closed || this.#queue.operations === 0) return
    const lingers = this.#context.options.lingerMs > 0 && this.#lingers()
    if (lingers && !this.#queue.hasUnbatchable) return
    const bySession = !this.#fallback.isActive
    // A probe opens a session beside the unary requests, which go on until the session works.
    if (bySession || this.#fallback.takeProbe()) this.#frames.connect()
    if (bySession && !this.#frames.hasRoom) return
    this.#flushUnbatchable(bySession)
    while (!lingers && this.#window.hasRoom && (!bySession || this.#frames.hasRoom)) {
      const pending = this.#queue.take(this.#bounds(bySession), this.#frames.heldRepositories())
      if (pending.length === 0) return
      this.#linger.end()
      if (bySession) this.#frames.send(pending)
      else this.sendUnary(pending)
    }
  }

  /** Whether calls wait for others: nothing is under way, and they do not fill a frame. */
  #lingers(): boolean {
    return this.#window.inFlight === 0 && !this.#queue.fills(this.#context.options) && this.#linger.holds()
  }

  /** Unbatchable calls do not wait for the window, only for their own kind. */
  #flushUnbatchable(bySession: boolean): void {
    const { framesInFlight } = this.#context.options
    const hasRoom = () => this.#frames.unbatchable + this.#unaryUnbatchable < framesInFlight
    while (hasRoom() && (!bySession || this.#frames.hasRoom)) {
      const operation = this.#queue.takeUnbatchable()
      if (operation === undefined) return
      if (bySession) this.#frames.send([operation])
      else this.#sendUnbatchable(operation)
    }
  }

  async #sendUnbatchable(operation: PendingOperation): Promise<void> {
    this.#unaryUnbatchable++
    await sendUnary([operation], this.#context.unary)
    this.#unaryUnbatchable--
    this.#flushSoon()
  }
}
