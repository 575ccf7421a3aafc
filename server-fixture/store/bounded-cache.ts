/** A cache with a bound in bytes and in time; the entry used least recently goes first. */

import { totalmem } from 'node:os'

/** A part of the memory that this process may use, and at most so many bytes. */
export function shareOfMemory(part: number, mostBytes: number): number {
  // Without a bound for the process, Node tells 0 or a number beyond all memory.
  const bound = process.constrainedMemory() || Number.POSITIVE_INFINITY
  return Math.min(mostBytes, Math.min(bound, totalmem()) * part)
}

/** The bounds of a cache. */
export interface CacheBounds {
  /** Of all entries together, as `set` is told. */
  readonly maxBytes: number
  /** Since an entry was set. */
  readonly maxAgeMs: number
  /** @default performance.now */
  readonly now?: (() => number) | undefined
}

interface Entry<Value> {
  readonly value: Value
  readonly bytes: number
  readonly setAtMs: number
}

export class BoundedCache<Value> {
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry<Value>>()
  readonly #bounds: CacheBounds
  readonly #now: () => number
  #bytes = 0

  constructor(bounds: CacheBounds) {
    this.#bounds = bounds
    this.#now = bounds.now ?? (() => performance.now())
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (!this.#isFresh(entry)) {
      this.#bytes -= entry.bytes
      return undefined
    }
    this.#entries.set(key, entry)
    return entry.value
  }

  /** Keeps a value, unless it alone would take more than half of the room. */
  set(key: string, value: Value, bytes: number): void {
    this.delete(key)
    if (bytes * 2 > this.#bounds.maxBytes) return
    this.#entries.set(key, { value, bytes, setAtMs: this.#now() })
    this.#bytes += bytes
    this.#trim()
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }

  /** Deletes the entries whose keys begin with this text. */
  deleteAll(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.delete(key)
  }

  #isFresh({ setAtMs }: Entry<Value>): boolean {
    return setAtMs >= this.#now() - this.#bounds.maxAgeMs
  }

  #trim(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes <= this.#bounds.maxBytes && this.#isFresh(entry)) return
      this.delete(key)
    }
  }
}
