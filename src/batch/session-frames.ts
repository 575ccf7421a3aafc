/** Frames on a session: sends them, gives results to their operations, and moves operations off a session that ends. */
import { asBlobwireError, type BlobwireError } from '../core/error.ts'
import { mayFitWhenSplit, mayResend, rulesOutSession } from '../core/reasons.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { acrossConnections } from '../session/draining-stream.ts'
import { Session } from '../session/session.ts'
import { factsOfError } from '../telemetry/client-event.ts'
import { errorOfOperation, malformedResponse, sessionEnded } from '../transport/errors.ts'
import { isPlain, isUnknownFrame } from '../transport/session-frame.ts'
import { Frame } from './frame.ts'
import { InFlightFrames } from './in-flight.ts'
import type { PendingOperation } from './pending-operation.ts'
import type { SessionFramesContext } from './session-frames-context.ts'
import { SessionWatches, type WatchListener } from './session-watches.ts'
import { isLeftOut } from './split.ts'

/** Times that one operation is sent on sessions that break. */
const maxSends = 3

export class SessionFrames {
  readonly #context: SessionFramesContext
  readonly #inFlight: InFlightFrames
  readonly #watches = new SessionWatches()
  #session: Session | undefined
  #openedAtMs = 0
  #nextId = 1
  /** The token has expired: the session gives way to one with a fresh token. */
  #needsNewToken = false
  #plainOnly = false

  constructor(context: SessionFramesContext) {
    this.#context = context
    this.#inFlight = new InFlightFrames(context.window)
  }

  /** The server's version takes only frames of one repository without headers. */
  get plainOnly(): boolean {
    return this.#plainOnly
  }

  /** Operations in frames that have not been answered. */
  get operations(): number {
    return this.#inFlight.operations
  }

  /** Frames of one unbatchable call each. */
  get unbatchable(): number {
    return this.#inFlight.unbatchable
  }

  /** Repositories whose operations wait; see `InFlightFrames`. */
  heldRepositories(): ReadonlySet<string> | undefined {
    return this.#inFlight.heldRepositories()
  }

  /** Whether the session takes a frame now. */
  get hasRoom(): boolean {
    return this.#session?.hasRoom ?? false
  }

  /** Opens a session, if there is none. */
  connect(): void {
    if (this.#session !== undefined) return
    const { clock, open, counters, owner } = this.#context
    counters.sessions++
    this.#openedAtMs = clock.now()
    const session: Session = new Session(
      acrossConnections(open, () => counters.sessions++),
      clock,
      {
        isBusy: () => this.#inFlight.busy || this.#watches.size > 0,
        onResponse: (response) => this.#receive(response),
        onRoom: () => {
          this.#watches.begin(this.#session)
          owner.onRoom()
        },
        onBroken: (error, established) => {
          if (this.#session === session) this.#guarded(() => this.#broken(error, established))
        }
      }
    )
    this.#session = session
  }

  /** Sends one frame, without the operations whose contents are gone. */
  send(given: readonly PendingOperation[]): void {
    const pending = given.every(holdsContents) ? given : given.filter(holdsContents)
    if (pending.length === 0) return
    const { clock, counters } = this.#context
    const frame = new Frame(pending, this.#nextId, clock.now())
    const count = frame.operations.length
    this.#nextId += count
    for (let index = 0; index < pending.length; index++) pending[index]?.beginSend()
    counters.frames++
    counters.framedOperations += count
    this.#inFlight.add(frame)
    frame.events?.event('connected', undefined, this.#session?.startedAtMs)
    try {
      this.#session?.send(frame)
    } catch (error) {
      this.#inFlight.remove(frame)
      // Whichever operation cannot be written fails alone.
      if (pending.length > 1) for (const operation of pending) this.send([operation])
      else pending[0]?.fail(asBlobwireError(error))
    }
  }

  /** The call of an operation that was sent has ended. */
  cancel(operation: PendingOperation): void {
    this.#inFlight.end(operation)
    const { clock, maxAbandoned } = this.#context
    if (this.#inFlight.isUnresponsive(clock.now(), maxAbandoned)) this.#renew()
  }

  /** Tells the server which operations to stop. */
  flushCancelled(): void {
    const ids = this.#inFlight.takeCancelled()
    if (ids.length > 0) this.#session?.cancel(ids)
  }

  /** Watches on the session. */
  get watches(): number {
    return this.#watches.size
  }

  /** Begins a watch, on a session that is opened if there is none. Returns the function that ends it. */
  watch(request: Init<Messages['WatchRefsRequest']>, listener: WatchListener): () => void {
    this.connect()
    this.#watches.add(request, listener)
    this.#watches.begin(this.#session)
    return () => this.#watches.remove(listener, this.#session)
  }

  /** Sends the watches elsewhere. */
  moveWatches(): void {
    this.#watches.end(undefined)
  }

  /** Ends the session, on which no operation waits; the next frame opens another one. */
  async end(): Promise<void> {
    await this.#session?.end()
  }

  /** Closes the session. */
  close(): void {
    this.#inFlight.clear()
    this.#watches.end(undefined)
    this.#session?.destroy()
  }

  /** The end of a session is told outside of every call: an exception fails the calls in flight, and nothing else. */
  #guarded(work: () => void): void {
    try {
      work()
    } catch (exception) {
      const error = asBlobwireError(exception)
      for (const frame of this.#inFlight.clear()) for (const operation of frame.unanswered()) operation.fail(error)
      this.#context.owner.failWaiting(error)
    }
  }

  #receive({ results, updates }: Messages['SessionResponse']): void {
    const { clock, fallback, owner, answers, refreshable } = this.#context
    if (fallback.isActive) fallback.restore()
    const now = clock.now()
    if (results.length > 0) {
      this.#inFlight.noteActivity(now)
      answers.lastAtMs = now
    }
    if (updates.length > 0 && this.#watches.receive(updates) !== undefined && refreshable) {
      this.#needsNewToken = true
      return this.#renew()
    }
    let frame: Frame | undefined
    const parts = new Set<Frame>()
    for (const { id, result } of results) {
      if (!frame?.owns(id)) frame = this.#inFlight.owner(id)
      if (frame === undefined || !this.#deliver(frame, id, result ?? {})) return this.#unexpected(id, frame)
      if (this.#needsNewToken) return this.#renew()
      if (!frame.done) {
        parts.add(frame)
        continue
      }
      this.#inFlight.answered(frame, now)
      answers.note(now, now - frame.sentAtMs)
      frame = undefined
    }
    for (const part of parts) if (!part.done) this.#inFlight.answeredInPart(part, now)
    // A frame has left the window, or some of its operations wait again.
    owner.onRoom()
  }

  /** Gives a result to its call. Operations that the server refused because of the frame wait again. False = unexpected. */
  #deliver(frame: Frame, id: number, result: Messages['OperationResult']): boolean {
    if (result.error !== undefined) {
      const requeued = this.#requeue(frame, id, result.error)
      if (requeued !== undefined) return requeued
    }
    return frame.take(id, result)
  }

  /** Whether an operation that failed waits again; undefined = the error is its result. */
  #requeue(frame: Frame, id: number, error: Messages['OperationError']): boolean | undefined {
    const { limits, owner, refreshable } = this.#context
    const limit = error.detail?.limit
    if (limit?.limit === 'max_batch_operations' && limit.maximum > 0 && frame.operations.length > limit.maximum) {
      limits().maxBatchOperations = limit.maximum
      if (frame.pending.length > 1) return frame.requeue(id, (operation) => owner.requeue([operation], 'first'))
      // A batch of the application's is split by the client's batch call.
      frame.pending[0]?.fail(errorOfOperation(error))
    }
    if (error.code === 'unauthenticated' && refreshable && frame.operationOf(id)?.refreshed === false) {
      this.#needsNewToken = true
      return true
    }
    if (isLeftOut(error) && frame.pending.length > 1) {
      return frame.requeue(id, (operation) => owner.requeue([operation], 'last'))
    }
    return undefined
  }

  /** Moves the operations in flight to a new session. */
  #renew(): void {
    const session = this.#session
    if (this.#needsNewToken) for (const operation of this.#inFlight.unanswered()) operation.refreshed = true
    this.#needsNewToken = false
    this.#broken(undefined, true)
    session?.destroy()
  }

  /**
   * No operation waits for the result. Operations that share a frame with it fail, or all in flight if it is of no frame:
   * results may have been taken for each other's. The others go to a new session.
   */
  #unexpected(id: number, frame: Frame | undefined): void {
    const error = malformedResponse(`unexpected result id ${id}`)
    for (const operation of frame?.unanswered() ?? this.#inFlight.unanswered()) operation.fail(sessionEnded(error))
    this.#renew()
  }

  /** The session is over: operations without an answer are sent again, by whichever way is left, or fail. */
  #broken(error: BlobwireError | undefined, established: boolean): void {
    const { fallback, counters, budget, owner } = this.#context
    const hasWorked = established && this.#context.answers.lastAtMs >= this.#openedAtMs
    this.#session = undefined
    const frames = this.#inFlight.clear()
    const isRuledOut = error !== undefined && !established && rulesOutSession(error)
    this.#watches.end(established && (error === undefined || mayResend(error)) ? undefined : sessionEnded(error))
    if (isRuledOut) fallback.activate(error)
    else if (fallback.isActive) return
    if (error && established && mayFitWhenSplit(error)) return this.#sendAsUnary(frames, error)
    const isRefused = error !== undefined && isUnknownFrame(error) && frames.some((frame) => !isPlain(frame))
    if (isRefused) this.#plainOnly = true
    const again: PendingOperation[] = []
    for (const operation of frames.flatMap((frame) => frame.unanswered())) {
      // `unimplemented` says that the server carried out nothing.
      if (isRuledOut && error.code === 'unimplemented') operation.sends--
      const isLost = error === undefined || isRefused || (established && mayResend(error))
      if (isRuledOut || (isLost && this.#mayResend(operation, isRefused || hasWorked))) again.push(operation)
      else operation.fail(sessionEnded(error))
    }
    counters.resent += again.length
    if (again.length > 0) {
      budget.charge()
      this.#context.report('session_lost', { operations: again.length, ...factsOfError(error) })
    }
    owner.requeue(again, 'first')
    // Operations that wait for a connection share its fate.
    if (!isRuledOut && !established && error !== undefined) owner.failWaiting(sessionEnded(error))
    owner.onRoom()
  }

  /** Operations of a session that worked are sent again once, however many they are; each other time costs budget. */
  #mayResend({ sends, call }: PendingOperation, isFree: boolean): boolean {
    if (sends >= Math.min(maxSends, call.maxSends ?? maxSends)) return false
    return (isFree && sends === 1) || this.#context.budget.take()
  }

  /**
   * The session broke over a frame, or an answer, that is too large, and does not say which. As unary requests the frames
   * are halved until only the operation to blame fails.
   */
  #sendAsUnary(frames: readonly Frame[], { details: { limit } }: BlobwireError): void {
    const { limits, counters, owner } = this.#context
    if (limit?.limit === 'max_batch_bytes') {
      limits().maxBatchBytes = Math.min(limits().maxBatchBytes, limit.maximum)
    }
    for (const frame of frames) {
      const pending = frame.unanswered()
      counters.resent += pending.length
      if (pending.length > 0) owner.sendUnary(pending)
    }
    owner.onRoom()
  }
}

const holdsContents = (operation: PendingOperation) => operation.holdsContents()
