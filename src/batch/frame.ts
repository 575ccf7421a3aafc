/** Operations on their way on a session, with their ids. */
import type { Messages } from '../schema/messages.ts'
import type { PreparedOperation } from '../transport/session-stream.ts'
import type { PendingOperation } from './pending-operation.ts'

export class Frame {
  readonly repository: string
  readonly pending: readonly PendingOperation[]
  readonly operations: readonly PreparedOperation[]
  readonly firstId: number
  readonly sentAtMs: number
  readonly #answered: Uint8Array
  #left: number

  constructor(pending: readonly PendingOperation[], firstId: number, sentAtMs: number) {
    const [first] = pending
    this.repository = first?.repository ?? ''
    this.pending = pending
    // Either one batch of many operations, or many of one.
    this.operations =
      pending.length === 1 && first
        ? first.prepared
        : pending.map((operation) => operation.prepared[0] as PreparedOperation)
    this.firstId = firstId
    this.sentAtMs = sentAtMs
    this.#left = this.operations.length
    this.#answered = new Uint8Array(this.#left)
  }

  /** The frame holds one unbatchable call. */
  get unbatchable(): boolean {
    return this.pending[0]?.unbatchable ?? false
  }

  /** Whether every operation has its result. */
  get done(): boolean {
    return this.#left === 0
  }

  owns(id: number): boolean {
    return id >= this.firstId && id < this.firstId + this.operations.length
  }

  /** The operation that waits for the result of this id. */
  operationOf(id: number): PendingOperation | undefined {
    return this.pending.length === 1 ? this.pending[0] : this.pending[id - this.firstId]
  }

  /** The ids of an operation, or of a batch. */
  idsOf(operation: PendingOperation): number[] {
    if (this.pending.length === 1) return this.operations.map((_operation, index) => this.firstId + index)
    return [this.firstId + this.pending.indexOf(operation)]
  }

  /** Gives a result to its operation. False = the operation has had one. */
  take(id: number, result: Messages['OperationResult']): boolean {
    const index = id - this.firstId
    if (this.#answered[index] !== 0) return false
    this.#answered[index] = 1
    this.#left--
    if (this.pending.length === 1) this.pending[0]?.take(index, result)
    else this.pending[index]?.take(0, result)
    return true
  }

  /** Takes an operation out of the frame, to be sent again. False = it has had a result. */
  requeue(id: number, queue: (operation: PendingOperation) => void): boolean {
    const index = id - this.firstId
    const operation = this.operationOf(id)
    if (operation === undefined || this.#answered[index] !== 0) return false
    this.#answered[index] = 1
    this.#left--
    if (!operation.ended) queue(operation)
    return true
  }

  /** Operations that still wait for a result. */
  unanswered(): PendingOperation[] {
    return this.pending.filter(
      ({ ended }, index) => !ended && (this.pending.length === 1 || this.#answered[index] === 0)
    )
  }
}
