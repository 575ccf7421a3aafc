/** Operations that wait for their frame, by the priority of their calls. */
import { BlobwireError } from '../core/error.ts'
import type { PendingOperation } from './pending-operation.ts'
import { type FrameBounds, OperationQueue } from './queue.ts'

/** The bounds of the queue; see `BatchOptions`. */
interface QueueBounds {
  readonly maxQueued: number
  readonly maxQueuedBytes: number
}

/** While both kinds wait, background operations go first into each frame of this number, and have what is left of others. */
const backgroundTurn = 5

/** Interactive operations go before those of background calls, which always have a share. */
export class PriorityQueue {
  readonly #interactive = new OperationQueue()
  /** Made for the first background operation. */
  #background: OperationQueue | undefined
  /** Frames, and unbatchable operations, since it was the turn of background operations. */
  #turns = 0
  #unbatchableTurns = 0

  /** Operations that wait. */
  get operations(): number {
    return this.#interactive.operations + (this.#background?.operations ?? 0)
  }

  get #bytes(): number {
    return this.#interactive.bytes + (this.#background?.bytes ?? 0)
  }

  /** Whether the waiting operations fill a frame, whatever its bounds become. */
  fills({ maxOperations, maxBytes }: Omit<FrameBounds, 'maxRepositories'>): boolean {
    return this.operations >= maxOperations || this.#bytes >= maxBytes
  }

  /**
   * Makes room for an interactive operation by failing background ones that came last.
   * @throws BlobwireError `resource_exhausted`, reason `queue_full` or `shed`, where the operation has no room
   */
  checkRoom({ bytes, isBackground }: PendingOperation, bounds: QueueBounds): void {
    if (this.#hasRoom(bytes, bounds)) return
    const { maxQueued, maxQueuedBytes } = bounds
    const message =
      `${this.operations} operations of ${this.#bytes} bytes are waiting; ` +
      `batch.maxQueued is ${maxQueued}, batch.maxQueuedBytes ${maxQueuedBytes}`
    if (isBackground) throw new BlobwireError({ reason: 'shed', message })
    while (!this.#hasRoom(bytes, bounds)) {
      const last = this.#background?.takeLast()
      if (last === undefined) throw new BlobwireError({ reason: 'queue_full', message })
      last.fail(new BlobwireError({ reason: 'shed', message: `${message}; a background call makes room` }))
    }
  }

  #hasRoom(bytes: number, { maxQueued, maxQueuedBytes }: QueueBounds): boolean {
    const { operations } = this
    return operations < maxQueued && (operations === 0 || this.#bytes + bytes <= maxQueuedBytes)
  }

  push(operation: PendingOperation): void {
    this.#queueOf(operation).push(operation)
  }

  /** Puts operations back that were sent and not answered: they go first. */
  unshift(pending: readonly PendingOperation[]): void {
    const interactive = pending.filter(({ isBackground }) => !isBackground)
    this.#interactive.unshift(interactive)
    if (interactive.length === pending.length) return
    this.#background ??= new OperationQueue()
    this.#background.unshift(pending.filter(({ isBackground }) => isBackground))
  }

  get hasUnbatchable(): boolean {
    return this.#interactive.hasUnbatchable || (this.#background?.hasUnbatchable ?? false)
  }

  /** The next unbatchable operation. */
  takeUnbatchable(): PendingOperation | undefined {
    if (!this.#background?.hasUnbatchable) return this.#interactive.takeUnbatchable()
    if (++this.#unbatchableTurns < backgroundTurn) {
      const operation = this.#interactive.takeUnbatchable()
      if (operation !== undefined) return operation
    }
    this.#unbatchableTurns = 0
    return this.#background.takeUnbatchable() ?? this.#interactive.takeUnbatchable()
  }

  /** The operations of the next shared frame; see `OperationQueue`. */
  take(bounds: FrameBounds, held?: ReadonlySet<string>): PendingOperation[] {
    const background = this.#background
    if (background === undefined || background.operations === 0) return this.#interactive.take(bounds, held)
    const isTurn = ++this.#turns >= backgroundTurn || this.#interactive.operations === 0
    if (isTurn) this.#turns = 0
    const [one, other] = isTurn ? [background, this.#interactive] : [this.#interactive, background]
    const first = one.take(bounds, held)
    // A request of its own, without a session, has one repository.
    if (first.length > 0 && bounds.maxRepositories === 1) return first
    const bytes = first.reduce((sum, operation) => sum + operation.bytes, 0)
    const left = { maxOperations: bounds.maxOperations - first.length, maxBytes: bounds.maxBytes - bytes }
    if (left.maxOperations <= 0 || left.maxBytes <= 0) return first
    const rest = other.take({ ...left, maxRepositories: bounds.maxRepositories }, held, first.length > 0)
    return rest.length === 0 ? first : together([...first, ...rest])
  }

  /** The call of a waiting operation has ended: its place is free at once. */
  discard(operation: PendingOperation): void {
    this.#queueOf(operation).discard(operation)
  }

  /** Takes all operations. */
  drain(): PendingOperation[] {
    return [...this.#interactive.drain(), ...(this.#background?.drain() ?? [])]
  }

  #queueOf({ isBackground }: PendingOperation): OperationQueue {
    if (!isBackground) return this.#interactive
    this.#background ??= new OperationQueue()
    return this.#background
  }
}

/** The same operations, those of each repository together, as a frame has them. */
function together(pending: readonly PendingOperation[]): PendingOperation[] {
  return [...Map.groupBy(pending, ({ repository }) => repository).values()].flat()
}
