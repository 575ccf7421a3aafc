/** Operations that wait for their frame. */
import { BlobwireError } from '../core/error.ts'
import type { PendingOperation } from './pending-operation.ts'

/** The bounds of one frame. */
export interface FrameBounds {
  readonly maxOperations: number
  readonly maxBytes: number
}

/** The bounds of the queue; see `BatchOptions`. */
export interface QueueBounds {
  readonly maxQueued: number
  readonly maxQueuedBytes: number
}

/**
 * One queue for each repository, because a frame is of one repository; the repositories take turns. Unbatchable operations
 * wait apart: others do not wait for them, nor they for others.
 */
export class OperationQueue {
  #unbatchable: PendingOperation[] = []
  readonly #queues = new Map<string, PendingOperation[]>()
  /** Operations in the queues that have ended; they no longer count. */
  #discarded = 0
  /** Operations that wait. */
  operations = 0
  #bytes = 0

  /** Whether the waiting operations fill a frame, whatever its bounds become. */
  fills({ maxOperations, maxBytes }: FrameBounds): boolean {
    return this.operations >= maxOperations || this.#bytes >= maxBytes
  }

  /** @throws BlobwireError `resource_exhausted`, reason `queue_full`, where the operation has no room */
  checkRoom({ bytes }: PendingOperation, { maxQueued, maxQueuedBytes }: QueueBounds): void {
    if (this.operations < maxQueued && (this.operations === 0 || this.#bytes + bytes <= maxQueuedBytes)) return
    const bounds = `batch.maxQueued is ${maxQueued}, batch.maxQueuedBytes ${maxQueuedBytes}`
    const message = `${this.operations} operations of ${this.#bytes} bytes are waiting; ${bounds}`
    throw new BlobwireError({ reason: 'queue_full', message })
  }

  push(operation: PendingOperation): void {
    this.#queueOf(operation).push(operation)
    this.#enqueue(operation)
  }

  /** Puts operations back that were sent and not answered: they go first. */
  unshift(pending: readonly PendingOperation[]): void {
    for (const operation of pending.toReversed()) {
      this.#queueOf(operation).unshift(operation)
      this.#enqueue(operation)
    }
  }

  get hasUnbatchable(): boolean {
    return this.#unbatchable.length > 0
  }

  /** The next unbatchable operation. */
  takeUnbatchable(): PendingOperation | undefined {
    for (let operation = this.#unbatchable.shift(); operation !== undefined; operation = this.#unbatchable.shift()) {
      this.#dequeue(operation)
      if (!operation.ended) return operation
    }
    return undefined
  }

  /** The operations of the next shared frame; an empty list = none wait. */
  take(bounds: FrameBounds): PendingOperation[] {
    for (const [repository, queue] of this.#queues) {
      const taken = this.#takeFrom(queue, bounds)
      this.#queues.delete(repository)
      // The other repositories are next.
      if (queue.length > 0) this.#queues.set(repository, queue)
      if (taken.length > 0) return taken
    }
    return []
  }

  /** The call of a waiting operation has ended: its place is free at once. */
  discard(operation: PendingOperation): void {
    this.#count(operation, -1)
    this.#discarded++
    if (this.#discarded > 64 && this.#discarded > this.operations) this.#sweep()
  }

  /** Takes all operations. */
  drain(): PendingOperation[] {
    const all = [...this.#unbatchable, ...[...this.#queues.values()].flat()]
    for (const operation of all) operation.queued = false
    this.#unbatchable = []
    this.#queues.clear()
    this.operations = 0
    this.#bytes = 0
    this.#discarded = 0
    return all
  }

  #takeFrom(queue: PendingOperation[], { maxOperations, maxBytes }: FrameBounds): PendingOperation[] {
    const taken: PendingOperation[] = []
    let bytes = 0
    let end = 0
    for (; end < queue.length; end++) {
      const operation = queue[end] as PendingOperation
      if (!operation.ended) {
        if (taken.length > 0 && (taken.length >= maxOperations || bytes + operation.bytes > maxBytes)) break
        taken.push(operation)
        bytes += operation.bytes
      }
      this.#dequeue(operation)
    }
    queue.splice(0, end)
    return taken
  }

  #queueOf(operation: PendingOperation): PendingOperation[] {
    if (operation.unbatchable) return this.#unbatchable
    let queue = this.#queues.get(operation.repository)
    if (queue === undefined) {
      queue = []
      this.#queues.set(operation.repository, queue)
    }
    return queue
  }

  #enqueue(operation: PendingOperation): void {
    operation.queued = true
    this.#count(operation, 1)
  }

  #dequeue(operation: PendingOperation): void {
    operation.queued = false
    if (operation.ended) this.#discarded--
    else this.#count(operation, -1)
  }

  #sweep(): void {
    this.#unbatchable = this.#unbatchable.filter(({ ended }) => !ended)
    for (const [repository, queue] of this.#queues) {
      const waiting = queue.filter(({ ended }) => !ended)
      if (waiting.length > 0) this.#queues.set(repository, waiting)
      else this.#queues.delete(repository)
    }
    this.#discarded = 0
  }

  #count(operation: PendingOperation, sign: number): void {
    this.operations += sign * operation.prepared.length
    this.#bytes += sign * operation.bytes
  }
}
