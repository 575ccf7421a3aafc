/**
 * The usual moves, of many calls in one round trip: nothing in the transaction depends on an answer. The last statements
 * write what belongs to those refs that the first one moved.
 */
import type { Database } from '../database/database.ts'
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
  const sent = await database.transaction((transaction) => {
    for (const call of calls) call.isInDoubt ||= isAgain
    isAgain = true
    const rows = rowsOf(calls)
    const nowMs = times.nowMs()
    const locked = transaction.query(lockRepository(id, rows.events.length))
    const moved = rows.moves.length > 0 ? transaction.query<{ name: string }>(movePlainly(id, rows.moves)) : []
    const written = rows.events.length > 0 ? transaction.query(insertEvents(id, nowMs, rows.events)) : []
    const keys =
      rows.keys.length > 0
        ? transaction.query<{ key: string }>(insertKeys(id, nowMs + times.rememberMs, rows.keys))
        : []
    // Not waited for here, so that the end of the transaction goes along.
    return { answers: Promise.all([locked, moved, keys, written]) }
  })
  const [locked, moved, keys] = await sent.answers
  if (locked.length === 0) throw new RepositoryGone()
  const names = new Set(moved.map(({ name }) => name))
  const remembered = new Set(keys.map(({ key }) => key))
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
