/** Rules for moving refs that every store follows. */
import { BlobwireError, type RefMismatch } from '../../src/core/error.ts'
import { isZeroOid, type ObjectKind } from '../../src/git/oid.ts'
import type { EventMove, NewRefEvent } from './events.ts'
import type { ObjectInfo, RefMove } from './store.ts'

/** The branch that HEAD names in a new repository, unless another one is chosen. */
export const initialBranch = 'refs/heads/main'

/** The branches that HEAD prefers to others, where it names none that exists. */
const usualBranches = [initialBranch, 'refs/heads/master']

/**
 * The branches that HEAD follows, the first of them that exists, where it names one that does not and that nobody chose:
 * the only one, or else one of the usual names.
 *
 * @param branches some of the branches, two at least where there are more
 */
export const followedBranches = (branches: readonly string[]) => (branches.length > 1 ? usualBranches : branches)

/** Of the branches that moves make, the one that HEAD names, or else comes to name; undefined = they make none. */
export function firstBranch(moves: readonly RefMove[], named: string): string | undefined {
  const made = moves.filter(makesBranch).map(({ name }) => name)
  return [named, ...usualBranches].find((name) => made.includes(name)) ?? made[0]
}

/** Whether a move makes a new branch. */
export const makesBranch = ({ name, expectedOid, newOid }: RefMove) =>
  name.startsWith('refs/heads/') && isZeroOid(expectedOid) && !isZeroOid(newOid)

/**
 * Compares each ref's expected oid with its present one. A ref that is at its new oid already is a mismatch like any
 * other: somebody else may have moved it there.
 *
 * @param found the present oid of each move's ref, in order; undefined = no such ref
 * @param zeroOid the all-zero oid of the repository's format
 */
export function compareRefs(
  moves: readonly RefMove[],
  found: readonly (string | undefined)[],
  zeroOid: string
): RefMismatch[] {
  return moves.flatMap(({ name, expectedOid }, index) => {
    const foundOid = found[index] ?? zeroOid
    return foundOid === expectedOid ? [] : [{ name, expectedOid, foundOid }]
  })
}

/**
 * Refuses a move to a missing object, and a branch that would not point to a commit, as `git update-ref` does.
 *
 * @param infos kind and size of each move's new object, in order
 * @throws `failed_precondition`, reason `missing_object` or `wrong_kind`
 */
export function checkTargets(moves: readonly RefMove[], infos: readonly (ObjectInfo | undefined)[]): void {
  const missingOids: string[] = []
  for (const [index, move] of moves.entries()) {
    if (isZeroOid(move.newOid)) continue
    const info = infos[index]
    if (!info) missingOids.push(move.newOid)
    else if (move.name.startsWith('refs/heads/') && info.kind !== 'commit') throw notACommit(move, info.kind)
  }
  if (missingOids.length === 0) return
  throw missingObject(...missingOids)
}

/** The error for a ref that would reach objects which are not there. */
export function missingObject(...missingOids: string[]): BlobwireError {
  return new BlobwireError({
    reason: 'missing_object',
    message: `a ref must point to an object of the repository; ${missingOids[0]} is missing`,
    details: { missingOids }
  })
}

function notACommit(move: RefMove, kind: ObjectKind): BlobwireError {
  return new BlobwireError({
    reason: 'wrong_kind',
    message: `${move.name} must point to a commit; ${move.newOid} is a ${kind}`
  })
}

/** The error for a ref whose name is a directory of another name, such as `refs/heads/a` and `refs/heads/a/b`. */
export function refConflict(name: string, other: string): BlobwireError {
  return new BlobwireError({
    reason: 'ref_conflict',
    message: other
      ? `${name} and ${other} cannot exist together: the name of one is a directory of the other`
      : `${name} conflicts with another ref: the name of one is a directory of the other`
  })
}

/**
 * Refuses names that Git's files cannot hold together. As in Git, a ref deleted by the same call is still in the way.
 *
 * @param existing every ref there is, by name
 * @throws `failed_precondition`, reason `ref_conflict`
 */
export function checkNameConflicts(moves: readonly RefMove[], existing: Iterable<string>): void {
  const created = new Set(moves.filter((move) => !isZeroOid(move.newOid)).map((move) => move.name))
  if (created.size === 0) return
  const names = new Set([...existing, ...created])
  for (const name of names) {
    for (let slash = name.indexOf('/', 5); slash > 0; slash = name.indexOf('/', slash + 1)) {
      const parent = name.slice(0, slash)
      if (names.has(parent) && (created.has(name) || created.has(parent))) throw refConflict(name, parent)
    }
  }
}

/** The event of a call without events of its own. */
export function eventsOf(moves: readonly RefMove[], given: readonly NewRefEvent[] | undefined): NewRefEvent[] {
  const events = given ?? [
    { moves: moves.map(({ name, expectedOid, newOid }) => ({ name, oldOid: expectedOid, newOid })) }
  ]
  // A move to where the ref is already only held it in its place.
  return events
    .map((event) => (event.moves.every(isMove) ? event : { ...event, moves: event.moves.filter(isMove) }))
    .filter((event) => event.moves.length > 0)
}

const isMove = ({ oldOid, newOid }: EventMove) => oldOid !== newOid
