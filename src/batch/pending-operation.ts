import { BlobwireError } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'
import { malformedResponse } from '../transport/errors.ts'
import type { OperationName, PreparedOperation } from '../transport/session-stream.ts'
import type { Call, Cancellable, Progress, Sink } from '../transport/transport.ts'
import { operationError } from './operation-error.ts'

type Result = Messages['OperationResult']

/** What an entry is made from. */
export interface PendingOperationInit {
  /** The call it came from, for the way without a session. */
  readonly call: Call
  readonly operations: readonly PreparedOperation[]
  /** About what it takes in a frame. */
  readonly bytes: number
  /** It is not put into a frame with others: they would wait for it. */
  readonly unbatchable: boolean
}

/** Who sends entries. */
export interface PendingOperationOwner {
  operationCancelled(operation: PendingOperation): void
}

/** A call waiting for its frame or its answer: one operation, or a batch that travels as a frame of its own. */
export abstract class PendingOperation implements Cancellable {
  readonly repository: string
  readonly call: Call
  readonly operations: readonly PreparedOperation[]
  readonly bytes: number
  readonly unbatchable: boolean
  readonly #sink: Sink
  /** Times it was sent. */
  sends = 0
  /** Its session was left for one with a new token. */
  refreshed = false
  /** It waits for its frame. */
  queued = false
  /** Nobody waits any more. */
  ended = false
  /** Who wants to know that its call has ended early. */
  owner: PendingOperationOwner | undefined

  constructor({ call, operations, bytes, unbatchable }: PendingOperationInit, sink: Sink) {
    this.repository = (call.request as { repository: string }).repository
    this.call = call
    this.operations = operations
    this.bytes = bytes
    this.unbatchable = unbatchable
    this.#sink = sink
  }

  /** Its call has ended before the answer. */
  cancel(): void {
    this.ended = true
    this.owner?.operationCancelled(this)
  }

  progress(): Progress {
    return { sent: this.sends === 0 ? 'never' : 'maybe', attempts: this.sends }
  }

  /** One result has come; the index counts within this entry. */
  abstract take(index: number, result: Result): void

  /** The whole answer has come, as of the unary call. */
  answer(response: object): void {
    if (this.ended) return
    this.ended = true
    this.#sink.succeed(response)
  }

  /** All of it failed. */
  fail(error: unknown): void {
    if (this.ended) return
    this.ended = true
    this.#sink.fail(this.sends > 1 && error instanceof BlobwireError ? withSends(error, this.sends) : error)
  }
}

/** A single operation: its result is the call's answer. */
export class SingleOperation extends PendingOperation {
  readonly name: OperationName

  constructor(name: OperationName, context: PendingOperationInit, sink: Sink) {
    super(context, sink)
    this.name = name
  }

  take(_index: number, result: Result): void {
    const response = result[this.name]
    if (response !== undefined && result.error === undefined) this.answer(response)
    else this.fail(result.error ? operationError(result.error) : noResult(this.name))
  }
}

/** What is known of the last send alone says too little: one before may have had its effect. */
function withSends(error: BlobwireError, attempts: number): BlobwireError {
  return error.with({ attempts, sent: error.sent === 'never' ? 'maybe' : error.sent })
}

/** An answer that lacks the result of an operation of this name. */
export function noResult(name: string): BlobwireError {
  return malformedResponse(`no result for ${name}`).with({ attempts: 1 })
}

/** A batch: its results are the answer of BatchOperations, once all have come. */
export class BatchedOperations extends PendingOperation {
  readonly #results: Result[]
  #left: number

  constructor(context: PendingOperationInit, sink: Sink) {
    super(context, sink)
    this.#left = context.operations.length
    this.#results = new Array(this.#left)
  }

  take(index: number, result: Result): void {
    if (this.#results[index] === undefined) this.#left--
    this.#results[index] = result
    if (this.#left === 0) this.answer({ results: this.#results })
  }
}
