/**
 * `npm run soak:replicas -- [--only TEXT] [--times N]`: three servers on one database under load from clients of three
 * transports with three endpoints and default options. One server after the other is killed; the database is killed and
 * started again; a primary is killed and its synchronous standby promoted. Every acknowledged write is looked up at the end.
 * Exits with 1 where one is lost or doubled, a call failed, or a killed server is felt for too long.
 */
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { median } from '../bench/measure/statistics.ts'
import { failOver, killServers, type Outcome, restartDatabase } from './replicas/disturbances.ts'

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, times: { type: 'string', default: '20' } }
})
const times = Number(values.times)
const fewer = Math.ceil(times / 5)
const print = (text: string) => process.stdout.write(`${text}\n`)

interface Case {
  readonly name: string
  /** A longer gap is told as missed, where there was none as long before. */
  readonly mostGapMs: number
  run(): Promise<readonly Outcome[]>
}

/** The default time-out of a call: a longer gap would have failed one. */
const timeoutMs = 30_000

const cases: readonly Case[] = [
  { name: `one server of three killed, ${times} times`, mostGapMs: 250, run: async () => [await killServers(times)] },
  {
    name: `the database killed and started, ${fewer} times`,
    mostGapMs: timeoutMs,
    run: async () => [await restartDatabase(fewer)]
  },
  {
    name: `a primary killed, its synchronous standby promoted, ${fewer} times`,
    mostGapMs: timeoutMs,
    async run() {
      const outcomes: Outcome[] = []
      while (outcomes.length < fewer) outcomes.push(await failOver())
      return outcomes
    }
  }
]

/** Median and most. */
const spread = (ms: readonly number[]) => `${Math.round(median(ms))} / ${Math.round(Math.max(...ms))}`

const table = new Table({
  head: ['', 'calls', 'failed', 'lost or doubled', 'gap ms before', 'after', 'longest call ms before', 'after', ''],
  style: { head: [], border: [] }
})
let missed = 0
for (const { name, mostGapMs, run } of cases) {
  if (!name.includes(values.only)) continue
  process.stderr.write(`${name}\n`)
  const outcomes = await run()
  const all = <T>(of: (outcome: Outcome) => readonly T[]) => outcomes.flatMap(of)
  const failures = all((outcome) => outcome.failures)
  const faults = all((outcome) => outcome.faults)
  for (const text of [...failures, ...faults]) print(`! ${text}`)
  const calls = outcomes.reduce((sum, outcome) => sum + outcome.calls, 0)
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.calls - outcome.acknowledged, 0)
  const [before, after] = [all((outcome) => outcome.before), all((outcome) => outcome.after)]
  // On a machine with other work to do, calls wait for a processor as well.
  const usualGapMs = Math.max(...before.map(({ gapMs }) => gapMs))
  const isLate = after.some(({ gapMs }) => gapMs > Math.max(mostGapMs, usualGapMs))
  const isMissed = failed > 0 || faults.length > 0 || isLate
  if (isMissed) missed++
  table.push([
    name,
    calls,
    failed,
    faults.length,
    ...[before, after].map((longest) => spread(longest.map(({ gapMs }) => gapMs))),
    ...[before, after].map((longest) => spread(longest.map(({ callMs }) => callMs))),
    isMissed ? 'MISSED' : 'met'
  ])
}
print(
  `${table}\ngaps and calls: the median over the times, and the longest; a gap is that of the client that waited longest`
)
process.exitCode = missed === 0 ? 0 : 1
