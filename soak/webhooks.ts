/**
 * `npm run soak:webhooks`: webhooks to twenty destinations of which three are dead and two slow, for a minute: 1,000 a
 * minute, bursts of 100 a second, and a sender that is killed in the middle of a burst. Prints a table, and ends with 1
 * where the good ones had to wait, a breaker opened that must not, a webhook is lost, or something is left open.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Table from 'cli-table3'
import { kinds, percentile, startReceivers } from '../bench/servers/webhook-receivers.ts'
import { generateWebhookSecret, WebhookSender } from '../src/webhooks.ts'
import type { SenderOrder, SenderReport } from './webhooks/sender.ts'

const mostP95Ms = 100
const directory = mkdtempSync(join(tmpdir(), 'blobwire-webhooks-'))
const receivers = await startReceivers(kinds, generateWebhookSecret())
const { destinations, arrivals, sockets } = receivers
const problems: string[] = []
const check = (isGood: boolean, problem: string) => isGood || problems.push(problem)
const table = new Table({
  head: ['phase', 'accepted', 'good: p50 / p95 / p99 ms', 'breaker opened', 'dead letters', 'waiting', 'lost'],
  style: { head: [], border: [] }
})

interface Run {
  readonly accepted: Map<string, string>
  readonly child: ChildProcess
  end: Extract<SenderReport, { stats: unknown }> | undefined
}

function start(file: string, perSecond: number, durationMs: number): Run {
  const order: SenderOrder = { file, destinations, perSecond, durationMs }
  const child = fork(fileURLToPath(new URL('webhooks/sender.ts', import.meta.url)), [JSON.stringify(order)])
  const run: Run = { accepted: new Map(), child, end: undefined }
  child.on('message', (report: SenderReport) => {
    if ('accepted' in report) run.accepted.set(report.accepted, report.destination)
    else run.end = report
  })
  return run
}

/** What is left in an outbox: dead letters, and what waits for the dead destinations. */
async function leftIn(file: string): Promise<{ ids: Set<string>; dead: number; pending: number }> {
  const sender = new WebhookSender({ outbox: { file } })
  const { dead, pending } = sender.stats()
  const ids = new Set(sender.deadLetters({ limit: 100_000 }).map(({ id }) => id))
  await sender.close({ drainMs: 0 })
  return { ids, dead, pending }
}

/** Holds what was accepted against what arrived and what is left. */
async function audit(phase: string, file: string, runs: readonly Run[]): Promise<void> {
  const accepted = new Map(runs.flatMap((run) => [...run.accepted]))
  const arrived = new Set(arrivals.map(({ id }) => id))
  const left = await leftIn(file)
  const missing = [...accepted].filter(([id]) => !arrived.has(id) && !left.ids.has(id))
  const ofDead = missing.filter(([, destination]) => !/^(good|slow)/.test(destination))
  // Those of the dead destinations wait in the outbox, as many as it holds; every other one has arrived.
  const lost = missing.length - ofDead.length + Math.max(0, ofDead.length - left.pending)
  const isDisturbed = runs.length > 1
  const took = arrivals
    .filter(({ id, destination }) => accepted.has(id) && destination.startsWith('good'))
    .map(({ tookMs }) => tookMs)
  const p95 = percentile(took, 0.95)
  const opened = (runs.at(-1)?.end?.stats.destinations ?? []).filter(({ breakerOpenings }) => breakerOpenings > 0)
  const dead = /^(refusing|failing|silent)/
  check(lost === 0, `${phase}: ${lost} webhooks are lost`)
  check(
    opened.length === 3 && opened.every(({ id }) => dead.test(id)),
    `${phase}: breakers opened on ${opened.map(({ id }) => id)}`
  )
  check(isDisturbed || p95 < mostP95Ms, `${phase}: p95 of the good ones is ${p95} ms`)
  check(runs.at(-1)?.end?.handles.length === 0, `${phase}: left open: ${runs.at(-1)?.end?.handles}`)
  check(sockets.size === 0, `${phase}: ${sockets.size} sockets are open`)
  const figures = [0.5, 0.95, 0.99].map((share) => percentile(took, share)).join(' / ')
  table.push([phase, accepted.size, figures, opened.map(({ id }) => id).join(' '), left.dead, left.pending, lost])
}

async function undisturbed(phase: string, perSecond: number, durationMs: number): Promise<void> {
  const file = join(directory, `${perSecond}.db`)
  const run = start(file, perSecond, durationMs)
  await once(run.child, 'close')
  await audit(phase, file, [run])
}

async function killed(): Promise<void> {
  const file = join(directory, 'killed.db')
  const first = start(file, 100, 60_000)
  await sleep(6000)
  first.child.kill('SIGKILL')
  await once(first.child, 'close')
  const second = start(file, 100, 8000)
  await once(second.child, 'close')
  await audit('killed in a burst, and started again', file, [first, second])
}

try {
  await undisturbed('1,000 a minute for 24 s', 1000 / 60, 24_000)
  await undisturbed('bursts of 100 a second for 15 s', 100, 15_000)
  await killed()
  process.stdout.write(`${table}\n`)
  for (const problem of problems) process.stdout.write(`${problem}\n`)
  process.stdout.write(problems.length === 0 ? 'as it should be\n' : '')
} finally {
  await receivers.close()
  rmSync(directory, { recursive: true, force: true })
}
process.exitCode = problems.length === 0 ? 0 : 1
