/** The outcomes as a table of Markdown. */
import { type Kind, kinds, type Row } from './outcome.ts'

const begin = '<!-- clients: made by npm run check:clients -- --write -->'
const end = '<!-- /clients -->'

/** `✓` = works, `✗` = fails, `–` = the client has no such call. */
const signOf = (outcome: string | undefined) => (outcome === undefined ? '–' : outcome === 'works' ? '✓' : '✗')

/** The table. */
export function tableOf(rows: readonly Row[]): string {
  const columns = Object.keys(kinds) as Kind[]
  const lines = rows.map(({ client, version, protocol, cells }) => [
    `${client}, ${version}`,
    protocol,
    ...columns.map((kind) => signOf(cells[kind]))
  ])
  const head = ['client', 'protocol', ...Object.values(kinds)]
  const all = [head, head.map(() => '---'), ...lines]
  return all.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** The document with this table. @throws Error where the document has no place for it */
export function withTable(document: string, table: string): string {
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the document has no lines ${begin} and ${end}`)
  return `${document.slice(0, from)}${begin}\n\n${table}\n\n${document.slice(to)}`
}
