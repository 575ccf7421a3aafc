import { BlobwireError } from '../../core/error.ts'
import type { Messages } from '../../schema/messages.ts'
import { malformedResponse } from '../../transport/errors.ts'
import type { OperationName, PreparedOperation } from '../../transport/session.ts'
import type { Call, EndListener, Progress, Settle } from '../../transport/transport.ts'
import { operationError } from './operation-error.ts'

type Result = Messages['OperationResult']

/** What an entry is made from. */
export interface EntryParts {
  /** The call it came from, for the way without a session. */
  readonly call: Call
  readonly operations: readonly PreparedOperation[]
  /** About what it takes in a frame. */
  readonly bytes: number
  /** It is not put into a frame with others: they would wait for it. */
  readonly alone: boolean
}

/** Who sends entries. */
export interface EntryOwner {
  entryEnded(entry: Entry): void
}

/** A call waiting for its frame or its answer: one operation, or a batch that travels as a frame of its own. */
export abstract class Entry implements EndListener {
  readonly repository: string
  readonly call: Call
  readonly operations: readonly PreparedOperation[]
  readonly bytes: number
  readonly alone: boolean
  readonly #settle: Settle
  /** Times it was sent. */
  sends = 0
  /** Its session was left for one with a new token. */
  refreshed = false
  /** It waits for its frame. */
  queued = false
  /** Nobody waits any more. */
  ended = false
  /** Who wants to know that its call has ended early. */
  owner: EntryOwner | undefined

  constructor({ call, operations, bytes, alone }: EntryParts, settle: Settle) {
    this.repository = (call.request as { repository: string }).repository
    this.call = call
    this.operations = operations
    this.bytes = bytes
    this.alone = alone
    this.#settle = settle
  }

  /** Its call has ended before the answer. */
  onCallEnded(): void {
    this.ended = true
    this.owner?.entryEnded(this)
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
    this.#settle.succeed(response)
  }

  /** All of it failed. */
  fail(error: unknown): void {
    if (this.ended) return
    this.ended = true
    this.#settle.fail(this.sends > 1 && error instanceof BlobwireError ? withSends(error, this.sends) : error)
  }
}

/** A single operation: its result is the call's answer. */
export class SingleEntry extends Entry {
  readonly name: OperationName

  constructor(name: OperationName, parts: EntryParts, settle: Settle) {
    super(parts, settle)
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
export class BatchEntry extends Entry {
  readonly #results: Result[]
  #left: number

  constructor(parts: EntryParts, settle: Settle) {
    super(parts, settle)
    this.#left = parts.operations.length
    this.#results = new Array(this.#left)
  }

  take(index: number, result: Result): void {
    if (this.#results[index] === undefined) this.#left--
    this.#results[index] = result
    if (this.#left === 0) this.answer({ results: this.#results })
  }
}
