/** Operations that wait for their frame. */
import type { PendingOperation } from './pending-operation.ts'

/** The bounds of one frame. */
export interface FrameBounds {
  readonly maxOperations: number
  readonly maxBytes: number
  readonly maxRepositories: number
}

/** Operations of one repository in one frame while others wait, at least: small batches cost more than they are worth. */
const leastShare = 8

/** What is left of the bounds of a frame. */
interface Room {
  operations: number
  bytes: number
  isTaken: boolean
}

/**
 * One queue for each repository, because a frame has one batch for each; the repositories take turns. Unbatchable
 * operations wait apart: others do not wait for them, nor they for others.
 */
export class OperationQueue {
  #unbatchable: PendingOperation[] = []
  readonly #queues = new Map<string, PendingOperation[]>()
  /** Operations in the queues that have ended; they no longer count. */
  #discarded = 0
  /** Operations that wait. */
  operations = 0
  bytes = 0

  push(operation: PendingOperation): void {
    this.#queueOf(operation).push(operation)
    this.#enqueue(operation)
  }

  /** Puts operations back that were sent and not answered: they go first. */
  unshift(pending: readonly PendingOperation[]): void {
    // Repositories keep the order of their operations, which are put in front from the last to the first.
    for (const operation of pending) this.#queueOf(operation)
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

  /**
   * The operations of the next shared frame, those of a repository together; an empty list = none wait. Each repository
   * gets its share of the frame, then the room that is left goes to whichever has more. Operations of `held` repositories
   * stay. `isTaken` = the frame has operations already.
   */
  take(
    { maxOperations, maxBytes, maxRepositories }: FrameBounds,
    held?: ReadonlySet<string>,
    isTaken = false
  ): PendingOperation[] {
    const room: Room = { operations: maxOperations, bytes: maxBytes, isTaken }
    if (this.#queues.size === 1) return this.#takeOfOne(room, held)
    const parts: { repository: string; queue: PendingOperation[]; taken: PendingOperation[] }[] = []
    let unseen = this.#queues.size
    // Repositories that are served go to the end of the map while it is walked.
    for (const [repository, queue] of this.#queues) {
      if (unseen-- === 0 || room.operations === 0 || parts.length === maxRepositories) break
      if (held?.has(repository)) continue
      const sharers = Math.min(unseen + 1, maxRepositories - parts.length)
      const share = Math.max(leastShare, Math.ceil(room.operations / sharers))
      const taken = this.#takeFrom(queue, share, room)
      if (taken.length === 0 && queue.length > 0) continue
      this.#queues.delete(repository)
      if (queue.length > 0) this.#queues.set(repository, queue)
      if (taken.length > 0) parts.push({ repository, queue, taken })
    }
    for (const { repository, queue, taken } of parts) {
      if (queue.length === 0 || room.operations === 0) continue
      taken.push(...this.#takeFrom(queue, room.operations, room))
      if (queue.length === 0) this.#queues.delete(repository)
    }
    return parts.length === 1 ? (parts[0]?.taken ?? []) : parts.flatMap(({ taken }) => taken)
  }

  #takeOfOne(room: Room, held: ReadonlySet<string> | undefined): PendingOperation[] {
    for (const [repository, queue] of this.#queues) {
      if (held?.has(repository)) break
      const taken = this.#takeFrom(queue, room.operations, room)
      if (queue.length === 0) this.#queues.delete(repository)
      return taken
    }
    return []
  }

  /** Takes the operation that came last, of the repository that came last. */
  takeLast(): PendingOperation | undefined {
    for (const queue of [...this.#queues.values()].toReversed()) {
      for (let operation = queue.pop(); operation !== undefined; operation = queue.pop()) {
        this.#dequeue(operation)
        if (!operation.ended) return operation
      }
    }
    for (let operation = this.#unbatchable.pop(); operation !== undefined; operation = this.#unbatchable.pop()) {
      this.#dequeue(operation)
      if (!operation.ended) return operation
    }
    return undefined
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
    this.bytes = 0
    this.#discarded = 0
    return all
  }

  /** Takes up to `most` operations, within the room; the first of a frame always has room. */
  #takeFrom(queue: PendingOperation[], most: number, room: Room): PendingOperation[] {
    const taken: PendingOperation[] = []
    let end = 0
    for (; end < queue.length; end++) {
      const operation = queue[end] as PendingOperation
      if (!operation.ended) {
        const isFirst = !room.isTaken
        if (!isFirst && (taken.length >= most || room.operations === 0 || operation.bytes > room.bytes)) break
        taken.push(operation)
        room.isTaken = true
        room.operations--
        room.bytes -= operation.bytes
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
    this.operations += sign * operation.count
    this.bytes += sign * operation.bytes
  }
}
