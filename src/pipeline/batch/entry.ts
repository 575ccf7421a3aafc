import { BlobwireError } from '../../core/error.ts'
import type { Messages } from '../../schema/messages.ts'
import type { OperationName, PreparedOperation } from '../../transport/session.ts'
import type { Call } from '../../transport/transport.ts'
import { operationError } from './operation-error.ts'

type Result = Messages['OperationResult']

/** A call waiting for its frame or its answer: one operation, or a batch that travels as a frame of its own. */
export interface Entry {
  readonly repository: string
  /** Of the operation; of a batch, that of BatchOperations. */
  readonly name: string
  /** The call it came from, for the way without a session. */
  readonly call: Call
  readonly operations: readonly PreparedOperation[]
  /** About what it takes in a frame. */
  readonly bytes: number
  /** It is not put into a frame with others: they would wait for it. */
  readonly alone: boolean
  /** Times it was sent on a session. */
  sends: number
  /** It waits for its frame. */
  queued: boolean
  /** Nobody waits any more. */
  ended: boolean
  /** One result has come; the index counts within this entry. */
  take(index: number, result: Result): void
  /** The whole answer has come, as of the unary call. */
  answer(response: object): void
  /** All of it failed. */
  fail(error: unknown): void
}

/** What every entry is made from. */
export interface EntryParts {
  readonly repository: string
  readonly call: Call
  readonly operations: readonly PreparedOperation[]
  readonly bytes: number
  readonly alone: boolean
}

/** How a call is settled. */
export interface Settle {
  resolve(response: object): void
  reject(error: unknown): void
}

/** A single operation: its result is the call's answer. */
export class SingleEntry implements Entry {
  readonly repository: string
  readonly call: Call
  readonly operations: readonly PreparedOperation[]
  readonly bytes: number
  readonly alone: boolean
  readonly name: OperationName
  readonly #settle: Settle
  sends = 0
  queued = false
  ended = false

  constructor(name: OperationName, parts: EntryParts, settle: Settle) {
    this.repository = parts.repository
    this.call = parts.call
    this.operations = parts.operations
    this.bytes = parts.bytes
    this.alone = parts.alone
    this.name = name
    this.#settle = settle
  }

  take(_index: number, result: Result): void {
    if (this.ended) return
    const response = result[this.name]
    if (response !== undefined && result.error === undefined) this.answer(response)
    else this.fail(result.error ? operationError(result.error) : noResult(this.name))
  }

  answer(response: object): void {
    if (this.ended) return
    this.ended = true
    this.#settle.resolve(response)
  }

  fail(error: unknown): void {
    if (this.ended) return
    this.ended = true
    this.#settle.reject(error)
  }
}

function noResult(name: string): BlobwireError {
  const message = `malformed response: no result for ${name}`
  return new BlobwireError({ code: 'internal', reason: 'malformed_response', message, sent: 'processed' })
}

/** A batch: its results are the answer of BatchOperations, once all have come. */
export class BatchEntry implements Entry {
  readonly repository: string
  readonly call: Call
  readonly operations: readonly PreparedOperation[]
  readonly bytes: number
  readonly alone = true
  readonly name = 'batchOperations'
  readonly #settle: Settle
  readonly #results: Result[]
  #left: number
  sends = 0
  queued = false
  ended = false

  constructor(parts: EntryParts, settle: Settle) {
    this.repository = parts.repository
    this.call = parts.call
    this.operations = parts.operations
    this.bytes = parts.bytes
    this.#settle = settle
    this.#left = parts.operations.length
    this.#results = new Array(this.#left)
  }

  take(index: number, result: Result): void {
    if (this.ended) return
    if (this.#results[index] === undefined) this.#left--
    this.#results[index] = result
    if (this.#left === 0) this.answer({ results: this.#results })
  }

  answer(response: object): void {
    if (this.ended) return
    this.ended = true
    this.#settle.resolve(response)
  }

  fail(error: unknown): void {
    if (this.ended) return
    this.ended = true
    this.#settle.reject(error)
  }
}
