/** The tables that the benchmark prints. */
import Table from 'cli-table3'
import type { ScenarioResult } from '../measure/rounds.ts'
import type { Run } from './run.ts'
import type { TargetResult } from './targets.ts'

const noColors = { style: { head: [], border: [] } }
const maxColumns = 100
/** Of a cell, for the margins and the border. */
const cellColumns = 3

/** A table within the width of a terminal: the cells of one column are wrapped. */
function tableWithin(head: readonly string[], rows: readonly (readonly string[])[], wrapped: number): string {
  const widths = head.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map((text) => text.length))
  )
  const others = widths.reduce((sum, width, column) => sum + (column === wrapped ? 0 : width + cellColumns), 0)
  // No word is cut.
  const longestWord = Math.max(0, ...rows.flatMap((row) => (row[wrapped] ?? '').split(' ').map((word) => word.length)))
  const left = Math.max(maxColumns - others - 2, longestWord + 2)
  const isTooWide = (widths[wrapped] ?? 0) + 2 > left
  const table = new Table({
    ...noColors,
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 || column === wrapped ? 'left' : 'right')),
    colWidths: head.map((_, column) => (column === wrapped && isTooWide ? left : null)),
    wordWrap: true
  })
  for (const row of rows) table.push([...row])
  return String(table)
}

/** The value with three significant digits. */
export function short(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}

/** One scenario as a table: ratios first. */
export function scenarioTable({ name, unit, better, baseline, contenders }: ScenarioResult): string {
  const rows = contenders.map(({ name: contender, ratio, median, spread, facts }) => {
    const more = Object.entries(facts).map(([key, value]) => `${key}: ${value}`)
    return [contender, `${short(ratio)}x`, short(median), `±${Math.round(spread * 100)} %`, more.join(', ')]
  })
  const table = tableWithin(['', 'ratio', unit, 'spread', 'and'], rows, 4)
  return `${name} (ratio to ${baseline}; ${better === 'more' ? 'more' : 'less'} ${unit} is better)\n${table}\n`
}

/** The targets as a table. */
export function targetTable(targets: readonly TargetResult[]): string {
  const rows = targets.flatMap(({ text, needed, value, met }) =>
    value === undefined ? [] : [[text, needed, short(value), met ? 'met' : 'MISSED']]
  )
  return `${tableWithin(['target', 'needed', 'measured', ''], rows, 0)}\n`
}

/** Machine and versions as one line. */
export function hostLine({ host, versions }: Run): string {
  const facts = [...Object.entries(host), ...Object.entries(versions)]
  return `${facts.map(([key, value]) => `${key} ${value}`).join(', ')}\n`
}
