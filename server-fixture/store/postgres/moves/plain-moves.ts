/**
 * The usual moves, of many calls in one round trip: nothing in the transaction depends on an answer. The last statements
 * write what belongs to those refs that the first one moved.
 */
import type { Database, Row, Statement } from '../database/database.ts'
import { RepositoryGone } from '../known-repositories.ts'
import { type EventRow, insertEvents, insertKeys, type KeyRow, lockRepository, movePlainly } from './move-statements.ts'
import { type IdentifiedCall, idOfNextTry } from './ref-call.ts'

/** When things happen, and for how long keys are remembered, in milliseconds. */
export interface MoveTimes {
  readonly nowMs: () => number
  readonly rememberMs: number
}

interface PlainContext {
  readonly database: Database
  readonly id: string
  readonly times: MoveTimes
}

/** @returns the calls that had no effect, for reasons that have to be found out. @throws RepositoryGone */
export async function carryOutPlainly(
  { database, id, times }: PlainContext,
  calls: readonly IdentifiedCall[]
): Promise<IdentifiedCall[]> {
  let isAgain = false
  const answers = await database.whole(() => {
    for (const call of calls) call.isInDoubt ||= isAgain
    isAgain = true
    return statementsOf({ database, id, times }, calls)
  })
  const [locked = [], moved = [], keys = []] = answers as [Row[], { name: string }[], { key: string }[]]
  if (locked.length === 0) throw new RepositoryGone()
  const names = new Set(moved.map(({ name }) => name))
  const remembered = new Set(keys.map(({ key }) => key))
  return calls.filter(({ call: { moves, requests } }) => {
    const [move] = moves
    if (move !== undefined) return !names.has(move.name)
    return !requests.every(({ key }) => remembered.has(key))
  })
}

function statementsOf({ id, times }: PlainContext, calls: readonly IdentifiedCall[]): Statement[] {
  const { moves, events, keys } = rowsOf(calls)
  const nowMs = times.nowMs()
  const statements = [
    lockRepository(id, events.length),
    movePlainly(id, moves),
    insertKeys(id, nowMs + times.rememberMs, keys)
  ]
  return events.length > 0 ? [...statements, insertEvents(id, nowMs, events)] : statements
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
