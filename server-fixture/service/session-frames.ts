/** Carries out the frames of one session. */
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { Principal } from './context.ts'
import { operationError, toBlobwireError } from './error-detail.ts'
import type { VcsService } from './vcs-service.ts'

type Response = Messages['SessionResponse']

/** Pending operations of one session; with more, nothing more is read from it. */
const maxPendingOperations = 20_000
/**
 * Frames of one session that are carried out at the same time; as many as the client's window has. Each may have an
 * answer of `max_batch_bytes`, which waits in memory while the client does not read.
 */
const maxFramesAtOnce = 64

/** The objects and callbacks that `SessionFrames` works with. */
export interface SessionFramesDependencies {
  readonly service: VcsService
  readonly requestId: string
  /** Called for each frame, because rights can expire. @throws BlobwireError */
  readonly authenticate: () => Principal
  /** Sends a message to the client. */
  readonly send: (response: Response) => void
  /** Whether the client reads its answers: while it does not, no frame is started. */
  readonly isRead: () => boolean
  /** Called when `full` becomes false. */
  readonly onRoom: () => void
}

/**
 * The frames of a session run at the same time and are answered in the order in which they finish. Every operation gets
 * one result, cancelled ones too.
 */
export class SessionFrames {
  readonly #dependencies: SessionFramesDependencies
  /** Frames without an answer, waiting ones included. */
  readonly #frames = new Set<RunningFrame>()
  #waiting: RunningFrame[] = []
  /** Frames that may have a large answer. */
  readonly #started = new Set<RunningFrame>()
  #pendingOperations = 0
  #onIdle: (() => void) | undefined

  constructor(dependencies: SessionFramesDependencies) {
    this.#dependencies = dependencies
  }

  /** Nothing more should be read for now. */
  get full(): boolean {
    return this.#pendingOperations >= maxPendingOperations
  }

  /** @throws BlobwireError `invalid_argument` for a message after which the session cannot go on */
  receive({ batch, cancel }: Messages['SessionRequest']): void {
    if (batch) this.#enqueue(batch)
    else if (cancel) this.#cancel(cancel.ids)
    else throw invalidArgument('frame', 'must be batch or cancel')
  }

  /** Resolves when every received frame has been answered. */
  finished(): Promise<void> {
    if (this.#frames.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }

  /** Starts waiting frames, as far as the client reads answers. */
  startWaiting(): void {
    while (this.#waiting.length > 0 && this.#started.size < maxFramesAtOnce && this.#dependencies.isRead()) {
      this.#start(this.#waiting.shift() as RunningFrame)
    }
  }

  /** The client has gone: drops waiting frames and aborts running ones. */
  abandon(): void {
    for (const frame of this.#waiting) this.#frames.delete(frame)
    this.#waiting = []
    for (const frame of this.#frames) frame.abort()
  }

  #enqueue(batch: Messages['SessionBatch']): void {
    const { firstId, operations } = batch
    // An empty frame would not count as pending, however many there are.
    if (operations.length === 0) throw invalidArgument('batch.operations', 'must not be empty')
    const endId = firstId + operations.length
    if (!Number.isSafeInteger(endId)) throw invalidArgument('batch.firstId', 'must leave every id below 2^53')
    for (const { batch: other } of this.#frames) {
      if (firstId < other.firstId + other.operations.length && other.firstId < endId) {
        throw invalidArgument('batch.firstId', `must not repeat the ids of pending operations: ${firstId} and above`)
      }
    }
    const frame = new RunningFrame(batch)
    this.#frames.add(frame)
    this.#pendingOperations += operations.length
    this.#waiting.push(frame)
    this.startWaiting()
  }

  #start(frame: RunningFrame): void {
    if (!frame.signal.aborted) this.#started.add(frame)
    this.#run(frame).then((response) => {
      const wasFull = this.full
      this.#started.delete(frame)
      this.#frames.delete(frame)
      this.#pendingOperations -= frame.batch.operations.length
      if (response.results.length > 0) this.#dependencies.send(response)
      if (wasFull && !this.full) this.#dependencies.onRoom()
      this.startWaiting()
      if (this.#frames.size === 0) this.#onIdle?.()
    })
  }

  /** An error that refuses the whole frame becomes the result of each of its operations. */
  async #run(frame: RunningFrame): Promise<Response> {
    const { service, authenticate, requestId } = this.#dependencies
    const { firstId, operations } = frame.batch
    let results: Messages['OperationResult'][]
    try {
      const principal = authenticate()
      const beforeOperation = (index: number) => frame.throwIfCancelled(index)
      const { signal, receivedAtMs } = frame
      const context = { principal, signal, requestId, receivedAtMs, beforeOperation }
      results = await service.sessionBatch(frame.batch, context)
    } catch (error) {
      const result = { error: operationError(toBlobwireError(error), requestId) }
      results = operations.map(() => result)
    }
    return { results: results.map((result, index) => ({ id: firstId + index, result })) }
  }

  #cancel(ids: readonly number[]): void {
    // By operation, not by id: a client may name any number of ids.
    const cancelled = new Set(ids)
    for (const frame of this.#frames) {
      frame.cancel(cancelled)
      // The answer of an aborted frame will be small.
      if (frame.signal.aborted) this.#started.delete(frame)
    }
    this.startWaiting()
  }
}

/** A frame without an answer yet. */
class RunningFrame {
  readonly batch: Messages['SessionBatch']
  readonly receivedAtMs = performance.now()
  readonly #controller = new AbortController()
  #cancelled: Set<number> | undefined

  constructor(batch: Messages['SessionBatch']) {
    this.batch = batch
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  throwIfCancelled(index: number): void {
    if (!this.#cancelled?.has(index)) return
    throw new BlobwireError({ code: 'cancelled', message: 'the client cancelled the operation' })
  }

  cancel(ids: ReadonlySet<number>): void {
    const { firstId, operations } = this.batch
    for (let index = 0; index < operations.length; index++) {
      if (!ids.has(firstId + index)) continue
      this.#cancelled ??= new Set()
      this.#cancelled.add(index)
    }
    if (this.#cancelled?.size === operations.length) this.abort()
  }

  abort(): void {
    this.#controller.abort()
  }
}
