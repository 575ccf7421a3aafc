/** The tables that the benchmark prints. */
import Table from 'cli-table3'
import type { ScenarioResult } from '../measure/rounds.ts'
import type { Run } from './run.ts'
import type { TargetResult } from './targets.ts'

const noColors = { style: { head: [], border: [] } }

/** The value with three significant digits. */
export function short(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}

/** One scenario as a table: ratios first. */
export function scenarioTable({ name, unit, better, baseline, contenders }: ScenarioResult): string {
  const table = new Table({
    ...noColors,
    head: ['', 'ratio', unit, 'spread', 'and'],
    colAligns: ['left', 'right', 'right', 'right']
  })
  for (const { name: contender, ratio, median, spread, facts } of contenders) {
    const more = Object.entries(facts).map(([key, value]) => `${key}: ${value}`)
    table.push([contender, `${short(ratio)}x`, short(median), `±${Math.round(spread * 100)} %`, more.join(', ')])
  }
  return `${name} (ratio to ${baseline}; ${better === 'more' ? 'more' : 'less'} ${unit} is better)\n${table}\n`
}

/** The targets as a table. */
export function targetTable(targets: readonly TargetResult[]): string {
  const table = new Table({ ...noColors, head: ['target', 'needed', 'measured', ''] })
  for (const { text, needed, value, met } of targets) {
    if (value === undefined) continue
    table.push([text, needed, short(value), met ? 'met' : 'MISSED'])
  }
  return `${table}\n`
}

/** Machine and versions as one line. */
export function hostLine({ host, versions }: Run): string {
  const facts = [...Object.entries(host), ...Object.entries(versions)]
  return `${facts.map(([key, value]) => `${key} ${value}`).join(', ')}\n`
}
