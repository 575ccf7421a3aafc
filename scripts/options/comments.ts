/** The documentation of the table of options: the comments of its groups and rows. */
import { readdirSync, readFileSync } from 'node:fs'
import type { optionTable } from '../../src/options/table.ts'

/** Name of an interface that the table has. */
export type TableName = keyof typeof optionTable

const directory = new URL('../../src/options/rows/', import.meta.url)
const comment = String.raw`/\*\*((?:(?!\*/)[\s\S])*)\*/\n`
const group = new RegExp(String.raw`^${comment}export const (\w+)Rows = \{\n([\s\S]*?)\n\} as const`, 'gm')
const row = new RegExp(String.raw`^  ${comment}  (\w+): `, 'gm')

const wordsOf = (text: string) => text.replaceAll(/\s*\n\s*\*?[ \t]*/g, ' ').trim()

interface GroupComments {
  readonly words: string
  readonly rows: ReadonlyMap<string, string>
}

const groups = new Map<string, GroupComments>()
for (const name of readdirSync(directory)) {
  for (const [, words = '', key = '', body = ''] of readFileSync(new URL(name, directory), 'utf8').matchAll(group)) {
    const rows = [...`${body}\n`.matchAll(row)].map(([, text = '', option = '']) => [option, wordsOf(text)] as const)
    groups.set(`${key}options`.toLowerCase(), { words: wordsOf(words), rows: new Map(rows) })
  }
}

/** The documentation of a group, or of one of its options, on one line. */
export function wordsFor(name: TableName, option?: string): string {
  const found = groups.get(name.toLowerCase())
  const words = option === undefined ? found?.words : found?.rows.get(option)
  if (words) return words
  throw new Error(`${name}${option === undefined ? '' : `.${option}`} has no comment in src/options/rows`)
}
