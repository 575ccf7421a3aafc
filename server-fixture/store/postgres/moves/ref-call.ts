/** A call that moves refs, with the ids that tell its moves from those of others. */
import { randomUUID } from 'node:crypto'
import { isZeroOid } from '../../../../src/git/oid.ts'
import type { RefCall } from '../../gathering/move-queue.ts'

/** A call, as a transaction carries it out. */
export interface IdentifiedCall {
  readonly call: RefCall
  /** Without the number of the try, which is its last two digits. */
  readonly id: string
  tries: number
  /** An earlier try may have made the moves, or may still do so: how it ended is not known. */
  isInDoubt: boolean
}

const shared = 34

export const identified = (call: RefCall): IdentifiedCall => ({
  call,
  id: randomUUID().slice(0, shared),
  tries: 0,
  isInDoubt: false
})

/**
 * The id of a new try. Each has its own, so that what an earlier try wrote, or is still about to write, is not taken for
 * that of a later one.
 */
export const idOfNextTry = (call: IdentifiedCall) => call.id + (call.tries++ % 256).toString(16).padStart(2, '0')

/** Whether a ref was moved by any try of the call. */
export const isMovedBy = ({ id }: IdentifiedCall, movedBy: string | undefined) => movedBy?.startsWith(id) === true

/**
 * Whether somebody waits for the call; rejects it otherwise. One that may have been made already is brought to its end:
 * others of its caller may have been made with it.
 */
export function isWanted({ call: { throwIfAbandoned, result }, isInDoubt }: IdentifiedCall): boolean {
  if (isInDoubt) return true
  try {
    throwIfAbandoned?.()
    return true
  } catch (error) {
    result.reject(error)
    return false
  }
}

/** A call that one statement can carry out: it moves one ref from one object to another, or remembers one outcome. */
export function isPlain({ moves: [move, ...others], requests }: RefCall): boolean {
  if (move === undefined) return requests.length < 2
  return others.length === 0 && !isZeroOid(move.expectedOid) && !isZeroOid(move.newOid)
}
