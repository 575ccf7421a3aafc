/** Batches of a session's frames that have no answer yet, and the headers of their operations. */
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import { checkHeaders } from '../../src/core/headers.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { OperationHeaders } from './context.ts'
import { limitExceeded } from './errors.ts'

type SessionBatch = Messages['SessionBatch']

/** A frame: its batches, the headers that their operations name, and an error that refuses all of them. */
export interface ReceivedFrame {
  readonly batches: readonly SessionBatch[]
  readonly headers: readonly OperationHeaders[]
  readonly refusal: BlobwireError | undefined
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
    return { batches, headers: [], refusal: limitExceeded('max_batch_operations', maxBatchOperations, count) }
  }
  try {
    return { batches, headers: headersOf(frame), refusal: undefined }
  } catch (error) {
    return { batches, headers: [], refusal: error as BlobwireError }
  }
}

/** @throws BlobwireError `invalid_argument` for headers that a call may not have, and for lists that do not exist */
function headersOf({ headerLists, batches }: Messages['SessionBatches']): OperationHeaders[] {
  for (const { operations, headerLists: chosen } of batches) {
    if (chosen.length !== 0 && chosen.length !== operations.length) {
      throw invalidArgument('batches.batches.headerLists', 'must have one number for each operation, or none')
    }
    for (const number of chosen) {
      if (number <= headerLists.length) continue
      throw invalidArgument('batches.batches.headerLists', `must be 0 to ${headerLists.length}: ${number}`)
    }
  }
  return headerLists.map(({ headers }) => {
    const names = new Set(headers.map(({ name }) => name))
    if (names.size < headers.length) throw invalidArgument('batches.headerLists', 'must not name a header twice')
    return checkHeaders(Object.fromEntries(headers.map(({ name, value }) => [name, value])))
  })
}

/** A batch without an answer yet. */
export class RunningBatch {
  readonly batch: SessionBatch
  readonly refusal: BlobwireError | undefined
  /** The batch shares its frame with others. */
  readonly isShared: boolean
  readonly #headers: readonly OperationHeaders[]
  readonly #controller = new AbortController()
  #cancelled: Set<number> | undefined

  constructor(batch: SessionBatch, { headers, refusal, batches }: ReceivedFrame) {
    this.batch = batch
    this.refusal = refusal
    this.isShared = batches.length > 1
    this.#headers = headers
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The headers of the operation with this index, besides those of the session. */
  headersOf(index: number): OperationHeaders | undefined {
    return this.#headers[(this.batch.headerLists[index] ?? 0) - 1]
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
