/**
 * `npm run soak:proxies -- [--seconds N] [--proxy NAME]… [--transport NAME]…`: runs a load through nginx, HAProxy and
 * Caddy, and reloads and restarts each meanwhile. Prints a table. Exits with 1 where a call failed, a write was lost or done
 * twice, or calls did not travel as docs/proxies.md says.
 */
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { startServerProcess } from '../../server-fixture/process.ts'
import type { TransportName } from '../../src/index.ts'
import { type Combination, combinations, type Outcome, runCombination } from './combination.ts'
import { findPrograms, type ProxyName, proxyNames } from './programs.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    proxy: { type: 'string', multiple: true },
    transport: { type: 'string', multiple: true }
  }
})

function chosen<Name extends string>(
  flag: string,
  given: string[] | undefined,
  allowed: readonly Name[]
): readonly Name[] {
  const unknown = given?.find((name) => !allowed.includes(name as Name))
  if (unknown !== undefined) throw new Error(`--${flag} ${unknown}: must be one of ${allowed.join(', ')}`)
  return (given as Name[] | undefined) ?? allowed
}

const failed = ({ ledger }: Outcome) => ledger.calls - ledger.succeeded

function show(outcome: Outcome): string {
  const { combination, ledger, stats, reloads, restarts, openedByReload, problems, proxyLog } = outcome
  const { p95Ms, p99Ms } = stats.latency
  const lines = [
    `${combination.name} ${combination.transport}: ${ledger.succeeded} answered, ${failed(outcome)} failed, ${stats.retries} retries`,
    `  ${stats.resent} resent, ${reloads} reloads, ${restarts} restarts, ${stats.connections.opened} connections (${openedByReload} by the reload), ${stats.sessions} sessions`,
    `  ${stats.batching} ${stats.noSessionReason}, p95 ${p95Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
    ...problems.map((problem) => `  ! ${problem}`),
    ...[...ledger.failures].map(([kind, { count, message }]) => `  ! ${count} ${kind}: ${message}`)
  ]
  if (lines.length > 3)
    lines.push(
      ...proxyLog
        .trimEnd()
        .split('\n')
        .slice(-8)
        .map((line) => `  | ${line}`)
    )
  return `${lines.join('\n')}\n`
}

function tableOf(outcomes: readonly Outcome[]): string {
  const head = [
    'proxy',
    'transport',
    'calls',
    'failed',
    'retries',
    'resent',
    'restarts',
    'batching',
    'p95 ms',
    'p99 ms'
  ]
  const table = new Table({ head, style: { head: [], border: [] } })
  for (const outcome of outcomes) {
    const { combination, ledger, stats, reloads, restarts } = outcome
    const { transport, retries, resent, batching, noSessionReason, latency } = stats
    table.push([
      combination.name,
      transport,
      ledger.calls,
      failed(outcome),
      retries,
      resent,
      `${restarts} + ${reloads} reload`,
      noSessionReason === '' ? batching : `${batching} (${noSessionReason})`,
      latency.p95Ms.toFixed(1),
      latency.p99Ms.toFixed(1)
    ])
  }
  return table.toString()
}

async function run(all: readonly Combination[], seconds: number): Promise<Outcome[]> {
  const names = proxyNames.filter((name) => all.some(({ program }) => program === name))
  const programs = findPrograms(names, (line) => process.stdout.write(`${line}\n`))
  for (const { name, version, path } of programs) process.stdout.write(`${name} ${version} (${path})\n`)
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-proxies-'))
  // Started by root, nginx works as another user, who must reach its temporary files: else large requests end in 500.
  await chmod(directory, 0o711)
  const outcomes: Outcome[] = []
  try {
    for (const [index, combination] of all.entries()) {
      const own = join(directory, String(index))
      await mkdir(own)
      const effectLog = join(own, 'effects.jsonl')
      const server = await startServerProcess('--effect-log', effectLog)
      const program = programs.find(({ name }) => name === combination.program)
      if (program === undefined) throw new Error(`${combination.program} is missing`)
      try {
        const outcome = await runCombination(combination, { program, server, effectLog, directory: own, seconds })
        outcomes.push(outcome)
        process.stdout.write(show(outcome))
      } finally {
        await server.stop()
      }
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  return outcomes
}

const seconds = Number(values.seconds)
if (!(seconds >= 3 && seconds <= 3600)) throw new Error(`--seconds ${values.seconds}: must be from 3 to 3600`)
const proxies = chosen<ProxyName>('proxy', values.proxy, proxyNames)
const transports = chosen<TransportName>('transport', values.transport, ['json', 'msgpack', 'grpc'])
const wanted = combinations.filter(
  ({ program, transport }) => proxies.includes(program) && transports.includes(transport)
)
const outcomes = await run(wanted, seconds)
process.stdout.write(`${tableOf(outcomes)}\n`)
if (outcomes.some((outcome) => failed(outcome) > 0 || outcome.problems.length > 0)) process.exitCode = 1
