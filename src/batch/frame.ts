/** Operations on their way on a session, with their ids. */
import type { Messages } from '../schema/messages.ts'
import { type AttemptEvents, together } from '../telemetry/observed-call.ts'
import type { HeaderList, PreparedOperation, SessionBatch, SessionFrame } from '../transport/session-frame.ts'
import type { PendingOperation } from './pending-operation.ts'

export class Frame implements SessionFrame {
  readonly pending: readonly PendingOperation[]
  readonly operations: readonly PreparedOperation[]
  readonly batches: readonly SessionBatch[]
  readonly headerLists: readonly HeaderList[]
  readonly firstId: number
  readonly sentAtMs: number
  readonly events: AttemptEvents | undefined
  readonly #answered: Uint8Array
  #left: number
  /** Part of its batches were answered, and it takes nothing of the window any more. */
  isLate = false

  /** Operations of one repository must stand together. */
  constructor(pending: readonly PendingOperation[], firstId: number, sentAtMs: number) {
    const [first] = pending
    // Observers see all calls of a client or none, but for those that chose to see less.
    this.events = pending.some(isObserved) ? together(pending.map(({ call }) => call.events)) : undefined
    this.pending = pending
    // Either one batch of many operations, or many of one.
    this.operations = pending.length === 1 && first ? first.prepared : pending.map(({ first }) => first)
    this.firstId = firstId
    this.sentAtMs = sentAtMs
    this.#left = this.operations.length
    this.#answered = new Uint8Array(this.#left)
    const lists = new HeaderLists()
    this.batches = batchesOf(this, lists)
    this.headerLists = lists.all
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
    if (this.events !== undefined) this.operationOf(id)?.call.events?.event('answered')
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

const isObserved = ({ call }: PendingOperation) => call.events !== undefined

/** The header lists of a frame, equal ones once. */
class HeaderLists {
  readonly all: HeaderList[] = []
  #numbers: Map<string, number> | undefined

  /** The number of an operation's list, from 1; 0 = it has none. */
  numberOf({ headers }: PendingOperation): number {
    if (headers === undefined) return 0
    this.#numbers ??= new Map()
    const known = this.#numbers.get(headers.key)
    if (known !== undefined && haveEqualNames(this.all[known - 1] as HeaderList, headers.list)) return known
    const number = this.all.push(headers.list)
    this.#numbers.set(headers.key, number)
    return number
  }
}

/** Whether lists of equal values are equal. */
function haveEqualNames({ headers }: HeaderList, other: HeaderList): boolean {
  return headers.every(({ name }, index) => name === other.headers[index]?.name)
}

/** One batch for each run of operations of one repository. */
function batchesOf({ pending, operations, firstId }: Frame, lists: HeaderLists): SessionBatch[] {
  const batches: SessionBatch[] = []
  for (let start = 0, end = 0; start < pending.length; start = end) {
    const { repository } = pending[start] as PendingOperation
    while (end < pending.length && pending[end]?.repository === repository) end++
    const isWhole = end - start === pending.length
    const own = isWhole ? pending : pending.slice(start, end)
    const headerLists = own.some(({ headers }) => headers) ? own.map((operation) => lists.numberOf(operation)) : []
    const ofBatch = isWhole ? operations : operations.slice(start, end)
    // All operations of one batch call have the headers of the call.
    const isOneCall = headerLists.length > 0 && headerLists.length < ofBatch.length
    batches.push({
      repository,
      firstId: firstId + start,
      operations: ofBatch,
      headerLists: isOneCall ? ofBatch.map(() => headerLists[0] as number) : headerLists
    })
  }
  return batches
}
