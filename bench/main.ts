/**
 * The benchmark: `npm run bench -- [SUITE …] [--quick] [--rounds N] [--round-ms N] [--out DIR]`, and
 * `npm run bench -- compare A.json B.json`. Contenders take turns, round by round. The program prints medians and
 * ratios, and writes them as JSON and as one HTML page.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { SingleBar } from 'cli-progress'
import Table from 'cli-table3'
import { inOwnProcesses } from './measure/isolated.ts'
import { measure, type ScenarioResult } from './measure/rounds.ts'
import type { Effort, Scenario } from './measure/scenario.ts'
import { compareRuns } from './report/compare.ts'
import { htmlPage } from './report/html.ts'
import { describe, type Run } from './report/run.ts'
import { hostLine, scenarioTable, short, targetTable } from './report/table.ts'
import { suites } from './suites/all.ts'

const quickEffort: Effort = { rounds: 3, roundMs: 60, warmUpMs: 80, quick: true }
const fullEffort: Effort = { rounds: 5, roundMs: 1000, warmUpMs: 1000, quick: false }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    'round-ms': { type: 'string' },
    out: { type: 'string', default: fileURLToPath(new URL('results', import.meta.url)) },
    help: { type: 'boolean', default: false }
  }
})

function usage(): string {
  const list = suites.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`).join('\n')
  return `usage: npm run bench -- [SUITE …] [--quick] [--rounds N] [--round-ms N] [--out DIR]
       npm run bench -- compare A.json B.json

suites (all of them unless some are named):
${list}
`
}

function effortOf(): Effort {
  const effort = values.quick ? quickEffort : fullEffort
  const number = (text: string | undefined, otherwise: number) => (text === undefined ? otherwise : Number(text))
  return {
    ...effort,
    rounds: number(values.rounds, effort.rounds),
    roundMs: number(values['round-ms'], effort.roundMs)
  }
}

/** Runs the scenarios, with a progress bar on a terminal and lines elsewhere. */
async function runAll(scenarios: readonly Scenario[], effort: Effort): Promise<ScenarioResult[]> {
  const bar = process.stderr.isTTY
    ? new SingleBar({ format: '{bar} {value}/{total} {name}', clearOnComplete: true })
    : undefined
  const results: ScenarioResult[] = []
  bar?.start(scenarios.length, 0, { name: '' })
  for (const [index, scenario] of scenarios.entries()) {
    if (bar) bar.update(index, { name: scenario.name })
    else process.stderr.write(`${index + 1}/${scenarios.length} ${scenario.suite}: ${scenario.name}\n`)
    // A process takes longer to start than the rounds of a quick run.
    results.push(await measure(effort.quick ? scenario : inOwnProcesses(scenario, effort), effort))
  }
  bar?.stop()
  return results
}

function compare(paths: readonly string[]): void {
  const [a, b] = paths.map((path) => JSON.parse(readFileSync(path, 'utf8')) as Run)
  if (a === undefined || b === undefined) throw new Error('compare takes two result files')
  const table = new Table({ head: ['scenario', 'contender', 'B to A', 'noise', ''], style: { head: [], border: [] } })
  for (const { scenario, contender, change, noise, verdict } of compareRuns(a, b)) {
    table.push([scenario, contender, `${short(change)}x`, `±${Math.round(noise * 100)} %`, verdict])
  }
  process.stdout.write(`A = ${a.date}, B = ${b.date}\n${table}\n`)
}

async function run(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name))
  if (unknown.length > 0) throw new Error(`there is no suite ${unknown.join(', ')}\n\n${usage()}`)
  const chosen = suites.filter(({ name }) => names.length === 0 || names.includes(name))
  const effort = effortOf()
  const results = await runAll(
    chosen.flatMap((suite) => suite.scenarios(effort)),
    effort
  )
  const found = describe(results, effort)
  for (const result of results) process.stdout.write(`${scenarioTable(result)}\n`)
  process.stdout.write(targetTable(found.targets))
  process.stdout.write(hostLine(found))
  mkdirSync(values.out, { recursive: true })
  const base = join(values.out, `${found.date.replaceAll(':', '').slice(0, 17)}${names.join('-') || 'all'}`)
  writeFileSync(`${base}.json`, `${JSON.stringify(found, null, 2)}\n`)
  writeFileSync(`${base}.html`, htmlPage(found))
  process.stdout.write(`written: ${base}.json and ${base}.html\n`)
}

try {
  if (values.help) process.stdout.write(usage())
  else if (positionals[0] === 'compare') compare(positionals.slice(1))
  else await run(positionals)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
