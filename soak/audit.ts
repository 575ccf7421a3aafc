/** Audits the server's effects against a ledger: no write may be lost or done twice. */
import { readFileSync } from 'node:fs'
import type { Effect } from '../server-fixture/faults/effects.ts'
import { type Client, createClient } from '../src/index.ts'
import type { Ledger } from './load.ts'

/** The server that is audited. */
export interface Audited {
  /** The file that `--effect-log` named. */
  readonly effectLog: string
  /** The HTTP endpoint. */
  readonly endpoint: string
}

/** Audits a ledger against the effect log of the server and its branches. One line for each fault. */
export async function audit(ledger: Ledger, { effectLog, endpoint }: Audited): Promise<string[]> {
  // The server may misbehave towards the auditor as well.
  const retry = { maxAttempts: 50, budgetPerSecond: 1000, baseMs: 10, maxMs: 200 }
  const auditor = createClient({ endpoint, retry, breaker: false, timeoutMs: 60_000, attemptTimeoutMs: 2000 })
  try {
    return [...auditEffects(ledger, readEffects(effectLog)), ...(await auditBranches(ledger, auditor))]
  } finally {
    await auditor.close()
  }
}

/** The effects in the server's log. */
function readEffects(file: string): Effect[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Effect)
}

/** Compares acknowledged writes with the effects of the server. One line for each fault. */
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

/** Audits the branches: each acknowledged commit is there once, in order, and no change was made twice. */
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
