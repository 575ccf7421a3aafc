/** Batches of a session's frames that have no answer yet, and the headers of their operations. */
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import { headerNameOf, headerProblem } from '../../src/core/headers.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { FrameLog } from '../access-log/frame-log.ts'
import type { Charge } from '../memory-budget.ts'
import type { CallContext, OperationHeaders, Principal } from './context.ts'
import { limitExceeded } from './errors.ts'

type SessionBatch = Messages['SessionBatch']

/** A frame: its batches, the headers that their operations name, and an error that refuses all of them. */
export interface ReceivedFrame {
  readonly batches: readonly SessionBatch[]
  readonly headerLists: readonly Messages['HeaderList'][]
  readonly refusal: BlobwireError | undefined
}

/** The bytes of a frame, held until each of its batches is answered. */
interface FrameHolding {
  readonly charge: Charge
  /** Batches without an answer. */
  batches: number
  /** Undefined = nobody reads of the frame. */
  readonly log: FrameLog | undefined
}

/** Checks a frame of several batches. @throws BlobwireError `invalid_argument` where the session cannot go on */
export function receivedFrame(frame: Messages['SessionBatches'], maxBatchOperations: number): ReceivedFrame {
  const { batches } = frame
  if (batches.length === 0) throw invalidArgument('batches.batches', 'must not be empty')
  let count = 0
  let nextId = batches[0]?.firstId
  for (const { firstId, operations } of batches) {
    // So that pending ids are compared once for the whole frame.
    if (firstId !== nextId) throw invalidArgument('batches.batches.firstId', 'must follow the ids of the batch before')
    count += operations.length
    nextId = firstId + operations.length
  }
  if (count > maxBatchOperations) {
    return { batches, headerLists: [], refusal: limitExceeded('max_batch_operations', maxBatchOperations, count) }
  }
  try {
    checkHeaderLists(frame)
    return { batches, headerLists: frame.headerLists, refusal: undefined }
  } catch (error) {
    return { batches, headerLists: [], refusal: error as BlobwireError }
  }
}

/** @throws BlobwireError `invalid_argument` for headers that a call may not have, and for lists that do not exist */
function checkHeaderLists({ headerLists, batches }: Messages['SessionBatches']): void {
  for (const { operations, headerLists: chosen } of batches) {
    if (chosen.length !== 0 && chosen.length !== operations.length) {
      throw invalidArgument('batches.batches.headerLists', 'must have one number for each operation, or none')
    }
    for (const number of chosen) {
      if (number <= headerLists.length) continue
      throw invalidArgument('batches.batches.headerLists', `must be 0 to ${headerLists.length}: ${number}`)
    }
  }
  for (const { headers } of headerLists) {
    for (const { name, value } of headers) {
      const problem = headerProblem(name, value)
      if (problem !== undefined) throw invalidArgument(`batches.headerLists.${name.slice(0, 80)}`, problem)
    }
    if (headers.length > 1 && new Set(headers.map(({ name }) => headerNameOf(name))).size < headers.length) {
      throw invalidArgument('batches.headerLists', 'must not name a header twice')
    }
  }
}

/** A batch without an answer yet. */
export class RunningBatch {
  readonly batch: SessionBatch
  readonly refusal: BlobwireError | undefined
  readonly receivedAtMs = performance.now()
  /** The batch shares its frame with others. */
  readonly isShared: boolean
  readonly #headerLists: readonly Messages['HeaderList'][]
  readonly #holding: FrameHolding
  /** Made only when it is asked for: most batches end without anybody having looked at it. */
  #controller: AbortController | undefined
  #isAborted = false
  #cancelled: Set<number> | undefined

  constructor(batch: SessionBatch, { headerLists, refusal, batches }: ReceivedFrame, holding: FrameHolding) {
    this.batch = batch
    this.#holding = holding
    this.refusal = refusal
    this.isShared = batches.length > 1
    this.#headerLists = headerLists
  }

  get frameLog(): FrameLog | undefined {
    return this.#holding.log
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#isAborted) this.#controller.abort()
    }
    return this.#controller.signal
  }

  get isAborted(): boolean {
    return this.#isAborted
  }

  /** The headers of the operation with this index, besides those of the session. */
  readonly headersOf = (index: number): OperationHeaders | undefined => {
    const list = this.#headerLists[(this.batch.headerLists[index] ?? 0) - 1]
    return list && Object.fromEntries(list.headers.map(({ name, value }) => [headerNameOf(name), value]))
  }

  readonly throwIfCancelled = (index: number): void => {
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

  /** The batch is answered, or nobody waits for its answer. */
  release(): void {
    if (--this.#holding.batches > 0) return
    this.#holding.charge.release()
    this.#holding.log?.end()
  }

  abort(): void {
    this.#isAborted = true
    this.#controller?.abort()
  }
}

/**
 * The context in which a batch is carried out. A class, because V8 gives every object literal with a getter a hidden class
 * of its own, which holds the batch until the next collection of the whole heap.
 */
export class BatchContext implements CallContext {
  readonly principal: Principal
  readonly requestId: string
  readonly receivedAtMs: number
  readonly beforeOperation: (index: number) => void
  readonly headersOf: (index: number) => OperationHeaders | undefined
  readonly #batch: RunningBatch

  constructor(batch: RunningBatch, principal: Principal, requestId: string) {
    this.principal = principal
    this.requestId = requestId
    this.receivedAtMs = batch.receivedAtMs
    this.beforeOperation = batch.throwIfCancelled
    this.headersOf = batch.headersOf
    this.#batch = batch
  }

  get signal(): AbortSignal {
    return this.#batch.signal
  }
}
