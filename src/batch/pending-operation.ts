/** A call that waits for its frame or its answer. */

import type { Call, Cancellable, Progress, Sink } from '../call/call.ts'
import type { WireObject } from '../codec/codec.ts'
import { checkContents } from '../core/contents.ts'
import { BlobwireError } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'
import { errorOfOperation, malformedResponse } from '../transport/errors.ts'
import type { PreparedOperation } from '../transport/session-frame.ts'
import type { OperationName } from '../transport/session-stream.ts'
import { stampTimeouts } from './apply.ts'
import { operationError } from './older-server.ts'
import type { OwnHeaders } from './own-headers.ts'

type Result = Messages['OperationResult']

/** Everything that a pending operation is made from. */
export interface PendingOperationInit {
  /** The call, for the way without a session. */
  readonly call: Call
  /** The prepared operations with keys, which tell the server the time that is left. */
  readonly keyed?: readonly WireObject[] | undefined
  /** Estimated size in a frame. */
  readonly bytes: number
  /** The operation travels in a frame of its own: others would have to wait for it. */
  readonly unbatchable: boolean
  /** Those that the session does not have. */
  readonly headers: OwnHeaders | undefined
}

/** Sends operations, and hears which are no longer wanted. */
export interface PendingOperationOwner {
  operationCancelled(operation: PendingOperation): void
}

/** One operation, or a batch that travels as a frame of its own. */
export abstract class PendingOperation implements Cancellable {
  readonly repository: string
  readonly call: Call
  readonly bytes: number
  readonly unbatchable: boolean
  headers: OwnHeaders | undefined
  readonly #keyed: readonly WireObject[] | undefined
  readonly #sink: Sink
  /** Times it was sent. */
  sends = 0
  /** It was sent again for a new token. */
  refreshed = false
  /** It waits for its frame. */
  queued = false
  /** The call has settled. */
  ended = false
  /** Hears when the call ends early. */
  owner: PendingOperationOwner | undefined

  constructor({ call, bytes, unbatchable, headers, keyed }: PendingOperationInit, sink: Sink) {
    this.repository = (call.request as { repository: string }).repository
    this.call = call
    this.#keyed = keyed
    this.bytes = bytes + (headers?.bytes ?? 0)
    this.unbatchable = unbatchable
    this.headers = headers
    this.#sink = sink
  }

  /** The call has ended before its answer. */
  cancel(): void {
    this.ended = true
    this.owner?.operationCancelled(this)
  }

  /** The server takes no headers in frames: those of observers stay behind, so that the operation can travel in one. */
  leaveOutObserverHeaders(): void {
    const { ofCall } = this.headers ?? {}
    if (ofCall !== undefined) this.headers = ofCall === 'none' ? undefined : ofCall
  }

  get isBackground(): boolean {
    return this.call.isBackground === true
  }

  /** It goes into a frame. */
  beginSend(): void {
    this.sends++
    if (this.#keyed !== undefined) stampTimeouts(this.call, this.#keyed)
  }

  progress(): Progress {
    return { sent: this.sends === 0 ? 'never' : 'maybe', attempts: this.sends }
  }

  /** Whether the contents are still there to be sent; otherwise the call fails, and its frame goes without it. */
  holdsContents(): boolean {
    const { content } = this.call.request as { content?: Uint8Array }
    // Bytes that are gone have no length.
    if (this.call.method.readOnly || (content !== undefined && content.length > 0)) return true
    try {
      checkContents(this.call.request)
      return true
    } catch (error) {
      this.fail(error)
      return false
    }
  }

  /** The number of operations. */
  abstract readonly count: number

  /** The operation, or the first of a batch. */
  abstract readonly first: PreparedOperation

  /** One operation, or those of a batch. */
  abstract get prepared(): readonly PreparedOperation[]

  /** One result has come; the index counts within `prepared`. */
  abstract take(index: number, result: Result): void

  /** The whole answer has come, in the form of the unary call's. */
  answer(response: object): void {
    if (this.ended) return
    this.ended = true
    this.#sink.succeed(response)
  }

  /** The whole call failed; see `Sink`. */
  fail(error: unknown, isResult?: boolean): void {
    if (this.ended) return
    this.ended = true
    this.#sink.fail(this.sends > 1 && error instanceof BlobwireError ? withSends(error, this.sends) : error, isResult)
  }
}

/** A single operation: its result is the call's answer. */
export class SingleOperation extends PendingOperation {
  readonly name: OperationName
  readonly first: PreparedOperation
  readonly count = 1

  constructor(prepared: PreparedOperation, init: PendingOperationInit & { readonly name: OperationName }, sink: Sink) {
    super(init, sink)
    this.name = init.name
    this.first = prepared
  }

  get prepared(): readonly PreparedOperation[] {
    return [this.first]
  }

  take(_index: number, result: Result): void {
    const isKeyed = this.call.requestKey !== undefined
    const found: Result | undefined = isKeyed ? result.apply : result
    const response = found?.[this.name]
    if (result.error !== undefined) {
      this.fail(operationError(errorOfOperation(result.error), this.name, isKeyed), true)
    } else if (response !== undefined) this.answer(response)
    else this.fail(noResult(this.name))
  }
}

/** The last send's error alone says too little: an earlier send may have had its effect. */
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

  readonly prepared: readonly PreparedOperation[]

  constructor(prepared: readonly PreparedOperation[], init: PendingOperationInit, sink: Sink) {
    super(init, sink)
    this.prepared = prepared
    this.#left = prepared.length
    this.#results = new Array(this.#left)
  }

  get count(): number {
    return this.prepared.length
  }

  get first(): PreparedOperation {
    return this.prepared[0] as PreparedOperation
  }

  take(index: number, result: Result): void {
    if (this.#results[index] === undefined) this.#left--
    this.#results[index] = result
    if (this.#left === 0) this.answer({ results: this.#results })
  }
}
