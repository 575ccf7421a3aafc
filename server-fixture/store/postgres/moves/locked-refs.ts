/** What a transaction found of a repository, whose row it has locked, and what the calls that it judges make of it. */
import { BlobwireError, type RefMismatch } from '../../../../src/core/error.ts'
import { isZeroOid, type ObjectKind, zeroOid } from '../../../../src/git/oid.ts'
import type { RefCall } from '../../gathering/move-queue.ts'
import {
  checkNameConflicts,
  checkTargets,
  compareRefs,
  firstBranch,
  followedBranches,
  makesBranch
} from '../../ref-rules.ts'
import { KeyRemembered, type RefMove } from '../../store.ts'
import type { LockedRow, RefRow } from './move-statements.ts'
import { type IdentifiedCall, isMovedBy } from './ref-call.ts'

/** The answers of the database. */
export interface FoundRefs {
  readonly row: LockedRow
  readonly refs: readonly RefRow[]
  /** Names of refs below those that are made. */
  readonly below: readonly string[]
  /** Two branches, or as many as there are. */
  readonly branches: readonly string[]
  readonly kinds: readonly { readonly oid: string; readonly kind: number }[]
  readonly keys: readonly { readonly key: string }[]
}

const kindNames: readonly (ObjectKind | undefined)[] = [undefined, 'commit', 'tree', 'blob', 'tag']

export class LockedRefs {
  readonly #refs: Map<string, RefRow>
  readonly #kinds: ReadonlyMap<string, ObjectKind | undefined>
  readonly #keys: Set<string>
  /** Names that others cannot be made beside. */
  readonly #names: Set<string>
  readonly #found: FoundRefs
  readonly #length: number
  #madeBranch = false
  /** The branch that HEAD comes to name. */
  head: string | undefined

  /** @param length of an oid, in characters */
  constructor(found: FoundRefs, length: number) {
    this.#found = found
    this.#length = length
    this.#refs = new Map(found.refs.map((ref) => [ref.name, ref]))
    this.#kinds = new Map(found.kinds.map(({ oid, kind }) => [oid, kindNames[kind]]))
    this.#keys = new Set(found.keys.map(({ key }) => key))
    this.#names = new Set([...this.#refs.keys(), ...found.below])
  }

  /** Whether the call depends on which branch HEAD follows, where one of the transaction has changed that already. */
  mustWait({ moves }: RefCall): boolean {
    return this.#madeBranch && this.#isFree && moves.some(makesBranch)
  }

  /**
   * Makes the moves of a call, or says why not.
   *
   * @returns `made` = an earlier transaction made them
   * @throws BlobwireError, KeyRemembered
   */
  judge(identified: IdentifiedCall): readonly RefMismatch[] | 'made' {
    const { moves, requests } = identified.call
    for (const { key } of requests) if (this.#keys.has(key)) throw new KeyRemembered(key)
    const found = moves.map(({ name }) => this.#refs.get(name))
    const zero = zeroOid(this.#length === 40 ? 'sha1' : 'sha256')
    const mismatches = compareRefs(
      moves,
      found.map((ref) => ref?.oid),
      zero
    )
    if (mismatches.length > 0) {
      // With a key, the outcome would have been found under it.
      if (!identified.isInDoubt || requests.length > 0) return mismatches
      if (this.#isMade(identified)) return 'made'
      throw unknownOutcome()
    }
    checkTargets(
      moves,
      moves.map(({ newOid }) => {
        const kind = this.#kinds.get(newOid)
        return kind && { kind, size: 0 }
      })
    )
    checkNameConflicts(moves, this.#names)
    this.#apply(identified.call)
    return []
  }

  /** Whether an earlier try of the call made its moves, and nobody has moved one of the refs since. */
  #isMade(identified: IdentifiedCall): boolean {
    const moves = identified.call.moves.filter(({ expectedOid, newOid }) => expectedOid !== newOid)
    const isHere = ({ name, newOid }: RefMove) => {
      const ref = this.#refs.get(name)
      return ref?.oid === newOid && isMovedBy(identified, ref.moved_by)
    }
    return moves.length > 0 && moves.every(isHere)
  }

  #apply({ moves, requests }: RefCall): void {
    if (moves.some(makesBranch)) {
      const free = this.#isFree
      const named = this.head ?? this.#found.row.default_branch
      const first = free && this.#found.branches.length === 0 ? firstBranch(moves, named) : undefined
      const followed = free ? followedBranches(this.#found.branches).find((name) => this.#refs.has(name)) : undefined
      this.head = followed ?? first ?? this.head
      this.#madeBranch = true
    }
    for (const { key } of requests) this.#keys.add(key)
    for (const { name, newOid } of moves) {
      if (isZeroOid(newOid)) this.#refs.delete(name)
      else {
        this.#refs.set(name, { name, oid: newOid, moved_by: '' })
        this.#names.add(name)
      }
    }
  }

  /** HEAD names a branch that does not exist and that nobody chose. */
  get #isFree(): boolean {
    const { row } = this.#found
    return !row.is_chosen && !this.#refs.has(this.head ?? row.default_branch)
  }
}

/** The database did not say how the transaction ended, and nothing tells it since. */
function unknownOutcome(): BlobwireError {
  const message =
    'the connection to the database broke while refs were moved, and another call may have moved them since'
  return new BlobwireError({ code: 'unavailable', reason: 'database_unavailable', message, sent: 'maybe' })
}
