import type { Entry } from './entry.ts'

/** What one frame may hold. */
export interface FrameBounds {
  readonly maxOperations: number
  readonly maxBytes: number
}

/** Entries that wait, by repository, because a frame is of one repository. The repositories take turns. */
export class EntryQueue {
  readonly #rows = new Map<string, Entry[]>()
  /** Entries in the rows that have ended; they are not counted any more. */
  #forgotten = 0
  #operations = 0
  #bytes = 0

  /** Operations that wait. */
  get operations(): number {
    return this.#operations
  }

  /** About how many bytes they have. */
  get bytes(): number {
    return this.#bytes
  }

  push(entry: Entry): void {
    const row = this.#rows.get(entry.repository)
    entry.queued = true
    if (row) row.push(entry)
    else this.#rows.set(entry.repository, [entry])
    this.#count(entry, 1)
  }

  /** Puts entries back that were sent and not answered: they come first. */
  putBack(entries: readonly Entry[]): void {
    for (const entry of entries.toReversed()) {
      const row = this.#rows.get(entry.repository)
      entry.queued = true
      if (row) row.unshift(entry)
      else this.#rows.set(entry.repository, [entry])
      this.#count(entry, 1)
    }
  }

  /** The entries of the next frame; an empty list = nothing waits. */
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
    const all = [...this.#rows.values()].flat()
    for (const entry of all) entry.queued = false
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
        const full = taken.length >= maxOperations || bytes + entry.bytes > maxBytes
        if (taken.length > 0 && (full || entry.alone)) break
        taken.push(entry)
        bytes += entry.bytes
      }
      entry.queued = false
      if (entry.ended) this.#forgotten--
      else this.#count(entry, -1)
      if (!entry.ended && entry.alone) {
        end++
        break
      }
    }
    row.splice(0, end)
    return taken
  }

  #sweep(): void {
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
