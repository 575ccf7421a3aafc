import { readFileSync } from 'node:fs'
import type { Effect } from '../server-fixture/faults/effects.ts'
import type { Client } from '../src/index.ts'
import type { Ledger } from './load.ts'

/** Reads what the server wrote down. */
export function readEffects(file: string): Effect[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Effect)
}

/** Holds what was acknowledged against what the server did: nothing lost, nothing doubled. One line for each fault. */
export function auditEffects(ledger: Ledger, effects: readonly Effect[]): string[] {
  const wrong: string[] = []
  const objects = new Map<string, number>()
  const moves = new Map<string, string[]>()
  for (const { kind, name, oid = '' } of effects) {
    if (kind === 'object') objects.set(name, (objects.get(name) ?? 0) + 1)
    if (kind === 'ref') moves.set(name, [...(moves.get(name) ?? []), oid])
  }
  for (const [oid, count] of objects) if (count > 1) wrong.push(`${oid} was stored ${count} times`)
  for (const oid of ledger.stored) if (!objects.has(oid)) wrong.push(`${oid} was acknowledged, and never stored`)
  for (const oid of ledger.neverSent) if (objects.has(oid)) wrong.push(`${oid} was stored, and "never sent"`)
  for (const [ref, acknowledged] of ledger.moves) {
    const done = moves.get(ref) ?? []
    if (new Set(done).size !== done.length) wrong.push(`${ref} was moved to the same place twice`)
    // Moves whose answer was lost may stand between those that were acknowledged, in this order.
    let place = -1
    for (const oid of acknowledged) {
      const next = done.indexOf(oid, place + 1)
      if (next < 0) wrong.push(`${ref} was acknowledged at ${oid}, and did not get there in that order`)
      else place = next
    }
  }
  return wrong
}

/** Looks at the branches: each acknowledged commit is there once, in order, and no change was made twice. */
export async function auditBranches(ledger: Ledger, client: Client): Promise<string[]> {
  const wrong: string[] = []
  const repo = client.repository('soak')
  for (const [branch, acknowledged] of ledger.commits) {
    if (acknowledged.length === 0) continue
    const log: { oid: string; message: string }[] = []
    for await (const commit of repo.commits({ revision: branch })) log.push(commit)
    const messages = log.map(({ message }) => message)
    if (new Set(messages).size !== messages.length) wrong.push(`${branch}: a commit was made twice`)
    const order = log.map(({ oid }) => oid).reverse()
    let place = -1
    for (const oid of acknowledged) {
      const next = order.indexOf(oid, place + 1)
      if (next < 0) wrong.push(`${branch}: ${oid} was acknowledged, and is not there in that order`)
      else place = next
    }
  }
  return wrong
}
