/**
 * The usual moves, of many calls in one round trip: nothing in the transaction depends on an answer. The last statements
 * write what belongs to those refs that the first one moved.
 */
import type { Database, Statement } from '../database/database.ts'
import {
  type EventRow,
  insertEvents,
  insertKeys,
  type KeyRow,
  lockRepository,
  movePlainly,
  type NamedRepository
} from './move-statements.ts'
import { type IdentifiedCall, idOfNextTry, isWanted } from './ref-call.ts'

interface PlainContext extends NamedRepository {
  readonly database: Database
  /** For which keys are remembered. */
  readonly keySeconds: number
}

/**
 * @param objects stores objects, to which refs may be moved
 * @returns the calls that had no effect, for reasons that have to be found out: the repository may be gone. Those that
 * nobody waits for are rejected, and left out.
 */
export async function carryOutPlainly(
  { database, id, name, keySeconds }: PlainContext,
  all: readonly IdentifiedCall[],
  objects: Statement | undefined
): Promise<IdentifiedCall[]> {
  let calls = all
  let isAgain = false
  let hasMoves = false
  const makeStatements = () => {
    for (const call of calls) call.isInDoubt ||= isAgain
    isAgain = true
    calls = calls.filter(isWanted)
    const { moves, events, keys } = rowsOf(calls)
    hasMoves = moves.length > 0
    return [
      lockRepository(id, events.length),
      ...(objects ? [objects] : []),
      ...(hasMoves ? [movePlainly({ id, name }, moves)] : []),
      ...(events.length > 0 ? [insertEvents(id, events)] : []),
      ...(keys.length > 0 ? [insertKeys(id, keySeconds, keys)] : [])
    ]
  }
  const [, ...answers] = await database.whole(makeStatements, objects && [objects])
  const moved = hasMoves ? (answers[objects ? 1 : 0] ?? []) : []
  const names = new Set(moved.map(({ name }) => name))
  const remembered = new Set((answers.at(-1) ?? []).map(({ key }) => key))
  return calls.filter(({ call: { moves, requests } }) => {
    const [move] = moves
    if (move !== undefined) return !names.has(move.name)
    return !requests.every(({ key }) => remembered.has(key))
  })
}

function rowsOf(calls: readonly IdentifiedCall[]) {
  const moves = []
  const keys: KeyRow[] = []
  const events: Omit<EventRow, 'back'>[] = []
  for (const identified of calls) {
    const { moves: own, requests, events: told } = identified.call
    const [move] = own
    const call = idOfNextTry(identified)
    const by = { name: move?.name ?? '', call }
    if (move) moves.push({ ...move, call, keys: requests.map(({ key }) => key).join(',') })
    for (const request of requests) keys.push({ ...by, request })
    for (const event of told) events.push({ ...by, ...event })
  }
  return { moves, keys, events: events.map((event, index) => ({ ...event, back: events.length - 1 - index })) }
}
