import { BlobwireError } from '../../core/error.ts'
import type { Entry } from './entry.ts'

/** What one frame may hold. */
export interface FrameBounds {
  readonly maxOperations: number
  readonly maxBytes: number
}

/** What may wait; see `BatchOptions`. */
export interface QueueBounds {
  readonly maxQueued: number
  readonly maxQueuedBytes: number
}

/**
 * Entries that wait, by repository, because a frame is of one repository. The repositories take turns. Those that travel
 * alone wait apart: nobody waits for them, and they for nobody.
 */
export class EntryQueue {
  #alone: Entry[] = []
  readonly #rows = new Map<string, Entry[]>()
  /** Entries in the rows that have ended; they are not counted any more. */
  #forgotten = 0
  #operations = 0
  #bytes = 0

  /** Operations that wait. */
  get operations(): number {
    return this.#operations
  }

  /** Whether what waits is enough for a frame, whatever its bounds become. */
  fills({ maxOperations, maxBytes }: FrameBounds): boolean {
    return this.#operations >= maxOperations || this.#bytes >= maxBytes
  }

  /** @throws BlobwireError `resource_exhausted`, reason `queue_full`, where the entry would be too much */
  checkRoom({ bytes }: Entry, { maxQueued, maxQueuedBytes }: QueueBounds): void {
    if (this.#operations < maxQueued && (this.#operations === 0 || this.#bytes + bytes <= maxQueuedBytes)) return
    const bounds = `batch.maxQueued is ${maxQueued}, batch.maxQueuedBytes ${maxQueuedBytes}`
    const message = `${this.#operations} operations of ${this.#bytes} bytes wait already (${bounds})`
    throw new BlobwireError({ code: 'resource_exhausted', reason: 'queue_full', message })
  }

  push(entry: Entry): void {
    this.#rowOf(entry).push(entry)
    this.#enter(entry)
  }

  /** Puts entries back that were sent and not answered: they come first. */
  putBack(entries: readonly Entry[]): void {
    for (const entry of entries.toReversed()) {
      this.#rowOf(entry).unshift(entry)
      this.#enter(entry)
    }
  }

  get hasAlone(): boolean {
    return this.#alone.length > 0
  }

  /** The next entry that travels alone. */
  takeAlone(): Entry | undefined {
    for (let entry = this.#alone.shift(); entry !== undefined; entry = this.#alone.shift()) {
      this.#leave(entry)
      if (!entry.ended) return entry
    }
    return undefined
  }

  /** The entries of the next frame that several share; an empty list = nothing waits. */
  take(bounds: FrameBounds): Entry[] {
    for (const [repository, row] of this.#rows) {
      const taken = this.#takeFrom(row, bounds)
      this.#rows.delete(repository)
      // The others come first now.
      if (row.length > 0) this.#rows.set(repository, row)
      if (taken.length > 0) return taken
    }
    return []
  }

  /** The call of an entry that waits has ended: its place is free at once. */
  forget(entry: Entry): void {
    this.#count(entry, -1)
    this.#forgotten++
    if (this.#forgotten > 64 && this.#forgotten > this.#operations) this.#sweep()
  }

  /** Everything that waits. */
  drain(): Entry[] {
    const all = [...this.#alone, ...[...this.#rows.values()].flat()]
    for (const entry of all) entry.queued = false
    this.#alone = []
    this.#rows.clear()
    this.#operations = 0
    this.#bytes = 0
    this.#forgotten = 0
    return all
  }

  #takeFrom(row: Entry[], { maxOperations, maxBytes }: FrameBounds): Entry[] {
    const taken: Entry[] = []
    let bytes = 0
    let end = 0
    for (; end < row.length; end++) {
      const entry = row[end] as Entry
      if (!entry.ended) {
        if (taken.length > 0 && (taken.length >= maxOperations || bytes + entry.bytes > maxBytes)) break
        taken.push(entry)
        bytes += entry.bytes
      }
      this.#leave(entry)
    }
    row.splice(0, end)
    return taken
  }

  #rowOf(entry: Entry): Entry[] {
    if (entry.alone) return this.#alone
    let row = this.#rows.get(entry.repository)
    if (row === undefined) {
      row = []
      this.#rows.set(entry.repository, row)
    }
    return row
  }

  #enter(entry: Entry): void {
    entry.queued = true
    this.#count(entry, 1)
  }

  #leave(entry: Entry): void {
    entry.queued = false
    if (entry.ended) this.#forgotten--
    else this.#count(entry, -1)
  }

  #sweep(): void {
    this.#alone = this.#alone.filter(({ ended }) => !ended)
    for (const [repository, row] of this.#rows) {
      const waiting = row.filter(({ ended }) => !ended)
      if (waiting.length > 0) this.#rows.set(repository, waiting)
      else this.#rows.delete(repository)
    }
    this.#forgotten = 0
  }

  #count(entry: Entry, sign: number): void {
    this.#operations += sign * entry.operations.length
    this.#bytes += sign * entry.bytes
  }
}
