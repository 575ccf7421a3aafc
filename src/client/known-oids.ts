/** Oids of objects that a repository is known to hold: a commit names them instead of sending their contents again. */
import type { Messages } from '../schema/messages.ts'
import type { OperationName } from './inputs.ts'

/** Each bucket holds two oids: more are known than a commit names, and the newer ones drive the older ones out. */
const buckets = 2 ** 14
const slotsPerBucket = 4
const maxRepositories = 10_000

/**
 * The oids that answers of the server have named, by repository: their first 64 bits, in a table that never grows. Every
 * answer passes here, so an oid costs neither memory of its own nor work of the garbage collector. Two oids that share
 * their bits would be taken for each other: the server then misses an object, and the commit sends the contents after all.
 */
export class KnownOids {
  #slots: Uint32Array | undefined
  /** The number of each repository, which is mixed into the bits of its oids; a repository that is made anew has another. */
  readonly #numbers = new Map<string, number>()
  #lastNumber = 0
  /** The repository of the oid before, and its number: most oids that follow each other are of one repository. */
  #repository: string | undefined
  #number = 0

  add(repository: string, oid: string): void {
    this.#slots ??= new Uint32Array(slotsPerBucket * buckets)
    const slots = this.#slots
    const high = bitsOf(oid, 0)
    const low = bitsOf(oid, 8) ^ this.#mixedNumber(repository)
    const at = slotsPerBucket * (high & (buckets - 1))
    if (slots[at] === high >>> 0 && slots[at + 1] === low >>> 0) return
    slots[at + 2] = slots[at] as number
    slots[at + 3] = slots[at + 1] as number
    slots[at] = high
    slots[at + 1] = low
  }

  has(repository: string, oid: string): boolean {
    const slots = this.#slots
    const number = this.#numbers.get(repository)
    if (slots === undefined || number === undefined) return false
    const high = bitsOf(oid, 0)
    const low = (bitsOf(oid, 8) ^ mixed(number)) >>> 0
    const at = slotsPerBucket * (high & (buckets - 1))
    return [at, at + 2].some((slot) => slots[slot] === high >>> 0 && slots[slot + 1] === low)
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
    if (name === 'storeBlob' || name === 'getBlob') this.add(repository, (response as { oid: string }).oid)
    else if (name === 'getTree') {
      for (const { oid, mode } of (response as Messages['GetTreeResponse']).entries)
        if (mode !== '160000' && mode !== '040000') this.add(repository, oid)
    } else if (name === 'findMissing') {
      const missing = new Set((response as Messages['FindMissingResponse']).missing)
      for (const oid of (request as Messages['FindMissingRequest']).oids)
        if (!missing.has(oid)) this.add(repository, oid)
    }
  }
}

/** Spreads small numbers over 32 bits (Knuth, "The Art of Computer Programming" 3, section 6.4). */
const mixed = (number: number) => Math.imul(number, 0x9e3779b1)

/** Eight hex digits from `start` as a number. */
function bitsOf(oid: string, start: number): number {
  let bits = 0
  for (let at = start; at < start + 8; at++) {
    const code = oid.charCodeAt(at)
    bits = (bits << 4) | ((code < 0x3a ? code : code - 0x57) & 15)
  }
  return bits
}

/** Operations whose answers `KnownOids.learn` reads. */
export const tellsOids: ReadonlySet<OperationName> = new Set(['storeBlob', 'getBlob', 'getTree', 'findMissing'])
