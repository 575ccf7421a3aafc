import type { Messages } from '../schema/messages.ts'
import type { PreparedOperation } from '../transport/session-stream.ts'
import type { PendingOperation } from './pending-operation.ts'

/** A batch on its way on a session: whose operations have which ids. */
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
    // Either one entry of many operations, or many of one.
    this.operations =
      pending.length === 1 && first
        ? first.operations
        : pending.map((operation) => operation.operations[0] as PreparedOperation)
    this.firstId = firstId
    this.sentAtMs = sentAtMs
    this.#left = this.operations.length
    this.#answered = new Uint8Array(this.#left)
  }

  /** It has one call in it, which is waited for by nobody else. */
  get unbatchable(): boolean {
    return this.pending[0]?.unbatchable ?? false
  }

  /** Every operation has its result. */
  get done(): boolean {
    return this.#left === 0
  }

  owns(id: number): boolean {
    return id >= this.firstId && id < this.firstId + this.operations.length
  }

  /** The entry that waits for the result of this id. */
  operationOf(id: number): PendingOperation | undefined {
    return this.pending.length === 1 ? this.pending[0] : this.pending[id - this.firstId]
  }

  /** The ids of an entry. */
  idsOf(operation: PendingOperation): number[] {
    if (this.pending.length === 1) return this.operations.map((_operation, index) => this.firstId + index)
    return [this.firstId + this.pending.indexOf(operation)]
  }

  /** Gives a result to whom it belongs. False = that operation has had one. */
  take(id: number, result: Messages['OperationResult']): boolean {
    const index = id - this.firstId
    if (this.#answered[index] !== 0) return false
    this.#answered[index] = 1
    this.#left--
    if (this.pending.length === 1) this.pending[0]?.take(index, result)
    else this.pending[index]?.take(0, result)
    return true
  }

  /** Takes the operation out of this frame, to be sent again. False = it has had a result. */
  requeue(id: number, queue: (operation: PendingOperation) => void): boolean {
    const index = id - this.firstId
    const operation = this.operationOf(id)
    if (operation === undefined || this.#answered[index] !== 0) return false
    this.#answered[index] = 1
    this.#left--
    if (!operation.ended) queue(operation)
    return true
  }

  /** Entries that still wait for a result. */
  unanswered(): PendingOperation[] {
    return this.pending.filter(
      ({ ended }, index) => !ended && (this.pending.length === 1 || this.#answered[index] === 0)
    )
  }
}
