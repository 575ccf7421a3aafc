/** The moves of refs that an atomic batch holds back until its end, and the refs as they will be. */
import type { RefMismatch } from '../../src/core/error.ts'
import { type ObjectFormat, zeroOid } from '../../src/git/oid.ts'
import { compareNames, pageOfNames } from '../store/name-page.ts'
import { compareRefs, firstBranch } from '../store/ref-rules.ts'
import type { Head, PageRequest, RefMove, StoredRef } from '../store/store.ts'

/** Work that is not atomic holds nothing back. */
export class HeldMoves {
  readonly #zeroOid: string
  readonly #moves = new Map<string, RefMove>()

  constructor(format: ObjectFormat) {
    this.#zeroOid = zeroOid(format)
  }

  get size(): number {
    return this.#moves.size
  }

  all(): RefMove[] {
    return [...this.#moves.values()]
  }

  /** Holds moves back, or returns the refs that are not at their expected oid. */
  add(moves: readonly RefMove[], current: readonly (string | undefined)[]): RefMismatch[] {
    const mismatches = compareRefs(moves, current, this.#zeroOid)
    if (mismatches.length > 0) return mismatches
    for (const [index, move] of moves.entries()) {
      // Moved twice in one batch: the store sees one move, from the present oid of the ref.
      const expectedOid = this.#moves.get(move.name)?.expectedOid ?? current[index] ?? this.#zeroOid
      this.#moves.set(move.name, { ...move, expectedOid })
    }
    return []
  }

  /** Oids of refs as they will be; undefined = no such ref. */
  applyTo(names: readonly string[], stored: readonly (string | undefined)[]): (string | undefined)[] {
    return names.map((name, index) => {
      const move = this.#moves.get(name)
      if (move === undefined) return stored[index]
      return move.newOid === this.#zeroOid ? undefined : move.newOid
    })
  }

  /** HEAD as it will be. */
  applyToHead(head: Head): Head {
    const ref = (head.isFree ? firstBranch(this.all(), head.ref) : undefined) ?? head.ref
    const move = this.#moves.get(ref)
    if (move === undefined) return head
    return { ref, oid: move.newOid === this.#zeroOid ? undefined : move.newOid, isFree: false }
  }

  /**
   * A page of refs as they will be.
   *
   * @param stored a page of as many more refs as are held back
   */
  applyToPage(page: PageRequest, stored: readonly StoredRef[]): StoredRef[] {
    const oids = new Map(stored.map(({ name, oid }) => [name, oid]))
    // Stored refs beyond this page may come before held-back ones.
    const complete = stored.length < page.limit + this.#moves.size
    const last = stored.at(-1)?.name ?? ''
    for (const { name, newOid } of this.#moves.values()) {
      if (!complete && compareNames(name, last) > 0) continue
      if (newOid === this.#zeroOid) oids.delete(name)
      else oids.set(name, newOid)
    }
    const names = pageOfNames([...oids.keys()].sort(compareNames), page)
    return names.map((name) => ({ name, oid: oids.get(name) as string }))
  }
}
