/** The tables of docs/options.md. */
import type { OptionRow } from '../../src/options/row.ts'
import { optionTable } from '../../src/options/table.ts'
import { type TableName, wordsFor } from './comments.ts'
import { defaultOf } from './defaults.ts'

const intro = `# Options

For those who set an option of \`createClient\`, of a configuration file or of the environment: all of them, with type,
default and meaning. They have the same names everywhere. docs/configuration.md says how files and the environment are
read. This page is made from \`src/options/table.ts\` by \`npm run generate\`.
`

const code = (text: string) => `\`${text}\``

function allowed(row: OptionRow): string {
  switch (row.kind) {
    case 'number': {
      const { integer, least, above, most, unit, instead = [] } = row
      const bounds = [
        ...(least === undefined ? [] : [`≥ ${least}`]),
        ...(above === undefined ? [] : [`> ${above}`]),
        ...(most === undefined ? [] : [`≤ ${most}`])
      ]
      const kind = [integer ? 'integer' : 'number', ...(unit === undefined ? [] : [`of ${unit}`])].join(' ')
      return [...instead.map(code), `${kind} ${bounds.join(', ')}`.trim()].join(' or ')
    }
    case 'choice':
      return row.values.map(code).join(', ')
    case 'group':
      return [`[${row.type}](#${row.type.toLowerCase()})`, ...(row.instead ?? []).map((each) => code(`${each}`))].join(
        ' or '
      )
    case 'pem':
      return row.list ? 'PEM, or a list' : 'PEM'
    case 'code':
      return `code: ${code(row.list ? `readonly ${row.type}[]` : row.type)}`
    case 'endpoint':
      return 'URL, list of URLs, or list of [EndpointOptions](#endpointoptions)'
    case 'token':
      return 'string or function'
    default:
      return row.kind
  }
}

const cell = (text: string) => text.replaceAll('|', '\\|')

function table(name: TableName): string {
  const rows = Object.entries<OptionRow>(optionTable[name]).map(([option, row]) => {
    const usual = row.required ? 'required' : row.usually === undefined ? code(defaultOf(row)) : row.usually
    const shown = usual === '`none`' ? 'none' : row.kind === 'group' && !row.optional ? 'see there' : usual
    return `| \`${option}\` | ${cell(allowed(row))} | ${cell(shown)} | ${cell(wordsFor(name, option))} |\n`
  })
  return `\n## ${name}\n\n${wordsFor(name)}\n\n| option | allowed | default | meaning |\n|---|---|---|---|\n${rows.join('')}`
}

export function optionDocs(): string {
  return intro + (Object.keys(optionTable) as TableName[]).map(table).join('')
}
