/** Carries out the frames of one session. */
import { type BlobwireError, invalidArgument } from '../../src/core/error.ts'
import { defaultLimits } from '../../src/schema/default-limits.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { Charge, ConnectionBudget } from '../memory-budget.ts'
import { methodOf, nameOf } from '../metrics/call-table.ts'
import type { RequestRecord } from '../metrics/request-record.ts'
import type { RequestTracing } from '../tracing/request-tracing.ts'
import { type Principal, requestIdOfOperation } from './context.ts'
import { operationError, toBlobwireError } from './error-detail.ts'
import { limitExceeded } from './errors.ts'
import { BatchContext, type ReceivedFrame, RunningBatch, receivedFrame } from './running-batch.ts'
import { SessionWatches } from './session-watches.ts'
import type { VcsService } from './vcs-service.ts'

type Results = Messages['SessionResponse']['results']

interface FinishedBatch {
  readonly batch: RunningBatch
  readonly results: Results
}

/** Results of writes are small; reads are answered alone, because a message has a limit. */
const isSmall = ({ result }: Results[number]) =>
  result !== undefined && (result.storeBlob ?? result.updateRefs ?? result.storeObject ?? result.storeTag) !== undefined

const noUpdates: Messages['SessionResponse']['updates'] = []

/** Pending operations of one session; with more, nothing more is read from it. */
const maxPendingOperations = 20_000
/**
 * Batches of one session that are carried out at the same time. Each may have an answer of `max_batch_bytes`, which waits
 * in memory while the client does not read.
 */
const maxBatchesAtOnce = 64

/** The objects and callbacks that `SessionFrames` works with. */
export interface SessionFramesDependencies {
  readonly service: VcsService
  readonly requestId: string
  /** The session as the figures and the access log tell of it. */
  readonly record: Pick<RequestRecord, 'metrics' | 'beginFrame' | 'tracing' | 'transport'>
  readonly budget: ConnectionBudget
  /** Called for each frame, because rights can expire. @throws BlobwireError */
  readonly authenticate: () => Principal
  /** Sends a message to the client. */
  readonly send: (response: Messages['SessionResponse']) => void
  /** Whether the client reads its answers: while it does not, no batch is started. */
  readonly isRead: () => boolean
  /** Called when `full` becomes false. */
  readonly onRoom: () => void
}

/**
 * The batches of a session, of one frame or of several, run at the same time and are answered in the order in which they
 * finish. Every operation gets one result, cancelled ones too.
 */
export class SessionFrames {
  readonly watches: SessionWatches
  readonly #dependencies: SessionFramesDependencies
  /** Batches without an answer, waiting ones included. */
  readonly #batches = new Set<RunningBatch>()
  #waiting: RunningBatch[] = []
  /** Batches that may have a large answer. */
  readonly #started = new Set<RunningBatch>()
  /** Batches that are to be answered together. */
  readonly #finished: FinishedBatch[] = []
  #isStarting = false
  #pendingOperations = 0
  #onIdle: (() => void) | undefined

  constructor(dependencies: SessionFramesDependencies) {
    this.#dependencies = dependencies
    this.watches = new SessionWatches(dependencies)
  }

  get hasPending(): boolean {
    return this.#pendingOperations > 0
  }

  /** Nothing more should be read for now. Pending operations will make room; without them, reading on does. */
  get full(): boolean {
    const pending = this.#pendingOperations
    return pending >= maxPendingOperations || (pending > 0 && this.#dependencies.budget.isBusy)
  }

  /**
   * Takes over the charge, unless it throws.
   * @throws BlobwireError for a message after which the session cannot go on
   */
  receive({ batch, batches, cancel, watch }: Messages['SessionRequest'], charge: Charge): void {
    const { maxBatchOperations } = this.#dependencies.service.limits
    if (batch) this.#enqueue({ batches: [batch], headerLists: [], refusal: undefined }, charge)
    else if (batches) this.#enqueue(receivedFrame(batches, maxBatchOperations), charge)
    else if (cancel) {
      charge.release()
      this.#cancel(cancel.ids)
      this.watches.cancel(cancel.ids)
    } else if (watch) {
      charge.release()
      this.watches.begin(watch)
    } else throw invalidArgument('frame', 'must be batch, batches, cancel or watch')
  }

  /** Resolves when every received frame has been answered. */
  finished(): Promise<void> {
    if (this.#batches.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }

  /** Starts waiting batches, as far as the client reads answers. */
  startWaiting(): void {
    // Batches that are carried out at once come back here: a loop, not a recursion.
    if (this.#isStarting) return
    this.#isStarting = true
    try {
      while (this.#waiting.length > 0 && this.#started.size < maxBatchesAtOnce && this.#dependencies.isRead()) {
        this.#start(this.#waiting.shift() as RunningBatch)
      }
    } finally {
      this.#isStarting = false
    }
  }

  /** The client has gone: drops waiting batches and aborts running ones. */
  abandon(): void {
    this.watches.close()
    for (const batch of this.#waiting) {
      this.#batches.delete(batch)
      this.#dependencies.record.metrics.dropped(batch.batch.operations.length)
      batch.release()
    }
    this.#waiting = []
    for (const batch of this.#batches) batch.abort()
  }

  #enqueue(frame: ReceivedFrame, charge: Charge): void {
    const { batches } = frame
    const firstId = batches[0]?.firstId ?? 0
    let endId = firstId
    for (const { operations } of batches) {
      // An empty batch would not count as pending, however many there are.
      if (operations.length === 0) throw invalidArgument('batch.operations', 'must not be empty')
      endId += operations.length
    }
    this.#checkCount(endId - firstId)
    if (!Number.isSafeInteger(endId)) throw invalidArgument('batch.firstId', 'must leave every id below 2^53')
    for (const { batch: other } of this.#batches) {
      if (firstId < other.firstId + other.operations.length && other.firstId < endId) {
        throw invalidArgument('batch.firstId', `must not repeat the ids of pending operations: ${firstId} and above`)
      }
    }
    const { record } = this.#dependencies
    const holding = { charge, batches: batches.length, log: record.beginFrame(charge.bytes) }
    for (const batch of batches) {
      const running = new RunningBatch(batch, frame, holding)
      this.#batches.add(running)
      this.#waiting.push(running)
    }
    this.#pendingOperations += endId - firstId
    record.metrics.frameReceived(endId - firstId)
    this.startWaiting()
  }

  /**
   * A frame above the server's limit has a result for each operation, from which the client learns the limit. No client
   * sends more than one that it was told or may assume: a bomb of a few bytes would have an answer of megabytes.
   */
  #checkCount(count: number): void {
    const { maxBatchOperations } = this.#dependencies.service.limits
    if (count <= Math.max(maxBatchOperations, defaultLimits.maxBatchOperations)) return
    throw limitExceeded('max_batch_operations', maxBatchOperations, count)
  }

  #start(batch: RunningBatch): void {
    if (!batch.isAborted) this.#started.add(batch)
    const results = this.#run(batch)
    if (results instanceof Promise) results.then((later) => this.#finish(batch, later))
    else this.#finish(batch, results)
  }

  #finish(batch: RunningBatch, results: Results): void {
    if (!batch.isShared || !results.every(isSmall)) return this.#settle([{ batch, results }])
    // Small batches of one frame finish nearly at once, and their answers share a message.
    if (this.#finished.push({ batch, results }) === 1) setImmediate(() => this.#settle(this.#finished.splice(0)))
  }

  /** Answers batches, in one message. */
  #settle(finished: readonly FinishedBatch[]): void {
    const wasFull = this.full
    const nowMs = performance.now()
    const { metrics, tracing } = this.#dependencies.record
    for (const { batch, results } of finished) {
      this.#started.delete(batch)
      this.#batches.delete(batch)
      this.#pendingOperations -= batch.batch.operations.length
      const durationMs = nowMs - batch.receivedAtMs
      metrics.batchEnded(batch.batch.operations, results, durationMs)
      batch.frameLog?.batchEnded(batch.batch, results)
      if (metrics.notable.wants(durationMs)) this.#note({ batch, results }, durationMs)
      if (tracing !== undefined) this.#trace(tracing, { batch, results })
      batch.release()
    }
    const results = finished.length === 1 ? finished[0]?.results : finished.flatMap(({ results }) => results)
    if (results !== undefined && results.length > 0) this.#dependencies.send({ results, updates: noUpdates })
    if (wasFull && !this.full) this.#dependencies.onRoom()
    this.startWaiting()
    if (this.#batches.size === 0) this.#onIdle?.()
  }

  #note({ batch, results }: FinishedBatch, durationMs: number): void {
    const { record, requestId } = this.#dependencies
    const { repository, operations } = batch.batch
    const [first] = operations
    const method = first ? methodOf(nameOf(first)) : ''
    const code = results.find(({ result }) => result?.error)?.result?.error?.code ?? 'ok'
    const { name: transport, notable } = record.metrics
    notable.ended({ method, transport, repository, durationMs, code, requestId, operations: operations.length })
  }

  #trace(tracing: RequestTracing, { batch, results }: FinishedBatch): void {
    const { requestId, record } = this.#dependencies
    const { headersOf, receivedAtMs: startedAtMs } = batch
    const methods = batch.batch.operations.map((operation) => methodOf(nameOf(operation)))
    tracing.batchEnded({ transport: record.transport, requestId, startedAtMs, methods, results, headersOf })
  }

  /** An error that refuses the whole batch becomes the result of each of its operations. */
  #run(running: RunningBatch): Promise<Results> | Results {
    const { service, authenticate, requestId } = this.#dependencies
    const numbered = (results: readonly Messages['OperationResult'][]) =>
      results.map((result, index) => ({ id: running.batch.firstId + index, result }))
    const refused = (error: unknown) => numbered(refusals(running, requestId, toBlobwireError(error)))
    try {
      if (running.refusal) throw running.refusal
      const context = new BatchContext(running, authenticate(), requestId)
      const results = service.sessionBatch(running.batch, context)
      return results instanceof Promise ? results.then(numbered).catch(refused) : numbered(results)
    } catch (error) {
      return refused(error)
    }
  }

  #cancel(ids: readonly number[]): void {
    // By operation, not by id: a client may name any number of ids.
    const cancelled = new Set(ids)
    for (const batch of this.#batches) {
      batch.cancel(cancelled)
      // The answer of an aborted batch will be small.
      if (batch.isAborted) this.#started.delete(batch)
    }
    this.startWaiting()
  }
}

/** The error that refuses a batch, as the result of each of its operations. */
function refusals({ batch, headersOf }: RunningBatch, requestId: string, error: BlobwireError) {
  return batch.operations.map((_operation, index) => ({
    error: operationError(error, requestIdOfOperation({ requestId, headersOf }, index))
  }))
}
