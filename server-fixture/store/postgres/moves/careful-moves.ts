/**
 * Moves that one statement cannot make or explain: creations, deletions, several refs of a call, and calls that had no
 * effect. Two round trips for all calls of a group: everything that matters is read under the lock of the repository's
 * row, judged by the rules of all stores, and written.
 */
import type { RefMismatch } from '../../../../src/core/error.ts'
import { isZeroOid, type ObjectFormat, zeroOid } from '../../../../src/git/oid.ts'
import { followedBranches, makesBranch } from '../../ref-rules.ts'
import type { Database, Statement, Transaction } from '../database/database.ts'
import { RepositoryGone } from '../known-repositories.ts'
import { type FoundRefs, LockedRefs } from './locked-refs.ts'
import * as statements from './move-statements.ts'
import { nobody } from './move-statements.ts'
import { type IdentifiedCall, idOfNextTry } from './ref-call.ts'

interface CarefulContext extends statements.NamedRepository {
  readonly database: Database
  readonly format: ObjectFormat
  /** For which keys are remembered. */
  readonly keySeconds: number
}

/** How a call ended; undefined = it was not judged yet. */
export type Verdict = { readonly mismatches: readonly RefMismatch[] } | { readonly error: unknown } | undefined

/**
 * @param objects stores objects, to which refs may be moved
 * @returns a verdict for each call, in order
 * @throws RepositoryGone
 */
export function carryOutCarefully(
  context: CarefulContext,
  calls: readonly IdentifiedCall[],
  objects: Statement | undefined
): Promise<Verdict[]> {
  let isAgain = false
  return context.database.transaction(async (transaction) => {
    for (const call of calls) call.isInDoubt ||= isAgain
    isAgain = true
    const found = await read(transaction, { id: context.id, name: context.name, calls, objects })
    const refs = new LockedRefs(found, zeroOid(context.format).length)
    const made: IdentifiedCall[] = []
    const verdicts = calls.map((identified): Verdict => {
      try {
        // One that may have been made already is brought to its end.
        if (!identified.isInDoubt) identified.call.throwIfAbandoned?.()
        if (refs.mustWait(identified.call)) return undefined
        const mismatches = refs.judge(identified)
        if (mismatches === 'made') return { mismatches: [] }
        if (mismatches.length === 0) made.push(identified)
        return { mismatches }
      } catch (error) {
        return { error }
      }
    })
    write(transaction, { context, made, head: refs.head })
    return verdicts
  })
}

interface ToRead extends statements.NamedRepository {
  readonly calls: readonly IdentifiedCall[]
  readonly objects: Statement | undefined
}

async function read(transaction: Transaction, { id, name, calls: all, objects }: ToRead): Promise<FoundRefs> {
  const calls = all.map(({ call }) => call)
  const moves = calls.flatMap((call) => call.moves)
  const made = moves.filter(({ expectedOid, newOid }) => isZeroOid(expectedOid) && !isZeroOid(newOid))
  const keys = calls.flatMap(({ requests }) => requests.map(({ key }) => key))
  const names = new Set(moves.map(({ name }) => name))
  for (const { name } of made) for (const parent of parentsOf(name)) names.add(parent)
  const hasBranches = made.some(makesBranch)
  if (hasBranches) for (const name of followedBranches(['several', 'branches'])) names.add(name)
  const oids = [...new Set(moves.map(({ newOid }) => newOid))].filter((oid) => !isZeroOid(oid))
  const events = calls.reduce((count, call) => count + call.events.length, 0)
  const ask = <R extends object>(statement: Statement, isNeeded: boolean): Promise<R[]> | R[] =>
    isNeeded ? transaction.query<R>(statement) : []
  const locked = transaction.query<statements.LockedRow>(statements.lockRepository(id, events))
  if (objects) void transaction.query(objects)
  const [[row], refs, below, branches, kinds, remembered, ofName] = await Promise.all([
    locked,
    ask<statements.RefRow>(statements.readRefs(id, [...names]), names.size > 0),
    ask<{ name: string | null }>(
      statements.readBelow(
        id,
        made.map(({ name }) => name)
      ),
      made.length > 0
    ),
    ask<{ name: string }>(statements.readBranches(id), hasBranches),
    ask<{ oid: string; kind: number }>(statements.readKinds(id, oids), oids.length > 0),
    ask<{ key: string }>(statements.readKeys(id, keys), keys.length > 0),
    ask<{ key: string }>(statements.readNameKeys(name, keys), keys.length > 0 && moves.length > 0)
  ])
  if (row === undefined) throw new RepositoryGone()
  return {
    row,
    refs,
    below: below.map(({ name }) => name).filter((name) => name !== null),
    branches: branches.map(({ name }) => name),
    kinds,
    keys: [...remembered, ...ofName]
  }
}

/** The names of which this one would be below, such as `refs/heads/a` of `refs/heads/a/b`. */
function* parentsOf(name: string): Generator<string> {
  for (let slash = name.indexOf('/', 5); slash > 0; slash = name.indexOf('/', slash + 1)) yield name.slice(0, slash)
}

interface ToWrite {
  readonly context: CarefulContext
  readonly made: readonly IdentifiedCall[]
  readonly head: string | undefined
}

/** Not waited for, so that the end of the transaction goes along. */
function write(transaction: Transaction, { context, made, head }: ToWrite): void {
  const { id, keySeconds } = context
  const moves = made.flatMap((one) => {
    const call = idOfNextTry(one)
    return one.call.moves.map((move) => ({ ...move, call }))
  })
  const set = moves.filter(({ newOid, expectedOid }) => !isZeroOid(newOid) && newOid !== expectedOid)
  const deleted = moves.filter(({ newOid, expectedOid }) => isZeroOid(newOid) && newOid !== expectedOid)
  const events = made.flatMap((one) => one.call.events)
  const keys = made.flatMap((one) => one.call.requests)
  const anyway = { name: '', call: nobody }
  const send = (statement: Statement) => void transaction.query(statement)
  if (deleted.length > 0)
    send(
      statements.deleteRefs(
        id,
        deleted.map(({ name }) => name)
      )
    )
  if (set.length > 0) send(statements.setRefs(id, set))
  if (head !== undefined) send(statements.followBranch(id, head))
  if (events.length > 0) {
    const rows = events.map((event, index) => ({ ...event, ...anyway, back: events.length - 1 - index }))
    send(statements.insertEvents(id, rows))
  }
  if (keys.length > 0) {
    send(
      statements.insertKeys(
        id,
        keySeconds,
        keys.map((request) => ({ ...anyway, request }))
      )
    )
  }
}
