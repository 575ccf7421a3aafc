/** Oids of objects that a repository is known to hold: a commit names them instead of sending their contents again. */
import type { Messages } from '../schema/messages.ts'
import type { OperationName } from './operations.ts'

/** Two generations of at most this many oids each, over all repositories of a client. */
const maxPerGeneration = 5000
const slotCount = 2 ** 14
/** Oids that wait to be entered together: one alone would wait for a part of the table to come into the cache. */
const maxWaiting = 512
const maxRepositories = 10_000

/** A hash table with linear probing, two numbers a slot. It is never more than a third full. */
class BitTable {
  readonly #slots = new Int32Array(2 * slotCount)
  #size = 0

  /** Returns the size. */
  add(high: number, low: number): number {
    const at = this.#find(high, low)
    if (this.#slots[at] === high && this.#slots[at + 1] === low) return this.#size
    this.#slots[at] = high
    this.#slots[at + 1] = low
    return ++this.#size
  }

  has(high: number, low: number): boolean {
    const at = this.#find(high, low)
    return this.#slots[at] === high && this.#slots[at + 1] === low && (high | low) !== 0
  }

  clear(): void {
    this.#slots.fill(0)
    this.#size = 0
  }

  /** The place of these bits, or the free one where they belong. */
  #find(high: number, low: number): number {
    const slots = this.#slots
    for (let at = 2 * (high & (slotCount - 1)); ; at = (at + 2) & (2 * slotCount - 1)) {
      if (slots[at] === high && slots[at + 1] === low) return at
      if (slots[at] === 0 && slots[at + 1] === 0) return at
    }
  }
}

/**
 * The oids that answers of the server have named, by repository: their first 64 bits, in tables that never grow. When
 * there are too many, the older half goes. Every answer passes here, so an oid costs neither memory of its own nor work of
 * the garbage collector. Two oids that share their bits would be taken for each other: the server then misses an object,
 * and the commit sends its contents after all.
 */
export class KnownOids {
  /** Two numbers for each oid that waits, up to `#end`. */
  #waiting: Int32Array | undefined
  #end = 0
  #recent: BitTable | undefined
  #older: BitTable | undefined
  /** The number of each repository, which is mixed into the bits of its oids; a repository that is made anew has another. */
  readonly #numbers = new Map<string, number>()
  #lastNumber = 0
  /** The repository of the oid before, and its number: most oids that follow each other are of one repository. */
  #repository: string | undefined
  #number = 0

  add(repository: string, oid: string): void {
    this.#waiting ??= new Int32Array(2 * maxWaiting)
    this.#waiting[this.#end++] = bitsOf(oid, 0)
    this.#waiting[this.#end++] = bitsOf(oid, 8) ^ this.#mixedNumber(repository)
    if (this.#end === 2 * maxWaiting) this.#enter()
  }

  has(repository: string, oid: string): boolean {
    this.#enter()
    const number = this.#numbers.get(repository)
    if (number === undefined) return false
    const high = bitsOf(oid, 0)
    const low = bitsOf(oid, 8) ^ mixed(number)
    return this.#recent?.has(high, low) || this.#older?.has(high, low) || false
  }

  /** Enters the waiting oids. */
  #enter(): void {
    for (let at = 0; at < this.#end; at += 2) {
      this.#recent ??= new BitTable()
      const size = this.#recent.add(this.#waiting?.[at] as number, this.#waiting?.[at + 1] as number)
      if (size < maxPerGeneration) continue
      const oldest = this.#older
      oldest?.clear()
      this.#older = this.#recent
      this.#recent = oldest
    }
    this.#end = 0
  }

  /** Whether any object of the repository was known. */
  hasAny(repository: string): boolean {
    return this.#numbers.has(repository)
  }

  /** For a repository that was deleted, or that lacks an object it was thought to hold. */
  forget(repository: string): void {
    this.#numbers.delete(repository)
    this.#repository = undefined
  }

  #mixedNumber(repository: string): number {
    if (repository === this.#repository) return this.#number
    let number = this.#numbers.get(repository)
    if (number === undefined) {
      if (this.#numbers.size >= maxRepositories) this.#numbers.clear()
      number = ++this.#lastNumber
      this.#numbers.set(repository, number)
    }
    this.#repository = repository
    this.#number = mixed(number)
    return this.#number
  }

  /** Takes over the oids that an answer names. */
  learn(name: OperationName, repository: string, exchange: { request: object; response: object }): void {
    const { request, response } = exchange
    if (tellsOneOid.has(name)) this.add(repository, (response as { oid: string }).oid)
    else if (name === 'getTree') {
      for (const { oid, mode } of (response as Messages['GetTreeResponse']).entries)
        if (mode !== '160000' && mode !== '040000') this.add(repository, oid)
    } else if (name === 'storeObject' || name === 'getObject') {
      const { kind } = (name === 'getObject' ? response : request) as { kind?: string }
      if (kind === 'blob') this.add(repository, (response as { oid: string }).oid)
    } else if (name === 'findMissing') {
      const missing = new Set((response as Messages['FindMissingResponse']).missing)
      for (const oid of (request as Messages['FindMissingRequest']).oids)
        if (!missing.has(oid)) this.add(repository, oid)
    }
  }
}

/** Spreads small numbers over 32 bits (Knuth, "The Art of Computer Programming" 3, section 6.4). */
const mixed = (number: number) => Math.imul(number, 0x9e3779b1)

/** Eight hex digits from `start` as a number; without branches, which nobody could predict. */
function bitsOf(oid: string, start: number): number {
  let bits = 0
  for (let at = start; at < start + 8; at++) {
    const code = oid.charCodeAt(at)
    bits = (bits << 4) | ((code & 15) + 9 * (code >> 6))
  }
  return bits
}

/** Operations whose answer names the one oid: nearly all that there are. */
export const tellsOneOid: ReadonlySet<OperationName> = new Set(['storeBlob', 'getBlob'])

/** Operations whose answers `KnownOids.learn` reads. */
export const tellsOids: ReadonlySet<OperationName> = new Set([
  ...tellsOneOid,
  'storeObject',
  'getObject',
  'getTree',
  'findMissing'
])
