/** The default of an option, as documentation says it. */
import type { OptionRow } from '../../src/options/row.ts'

const literal = (value: unknown) => JSON.stringify(value).replaceAll('"', "'")

/** A literal, `none`, or the words of the row. */
export function defaultOf(row: OptionRow): string {
  if (row.usually !== undefined) return row.usually
  if (row.kind === 'headers') return '{}'
  if (row.kind === 'code') return row.list ? '[]' : 'none'
  if (row.kind === 'group') return row.optional ? 'none' : groupDefault(row.rows)
  return 'default' in row && row.default !== undefined ? literal(row.default) : 'none'
}

/** The defaults of a group of numbers; of other groups, each option says its own. */
function groupDefault(rows: Readonly<Record<string, OptionRow>>): string {
  const entries = Object.entries(rows)
  const values = entries.map(([name, row]) => [name, 'default' in row ? row.default : undefined] as const)
  if (values.some(([, value]) => typeof value !== 'number')) return '{}'
  return `{ ${values.map(([name, value]) => `'${name}': ${value}`).join(', ')} }`
}
