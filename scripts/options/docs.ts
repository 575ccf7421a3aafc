/** The tables of docs/options.md. */
import { environments, type Preset, profiles } from '../../src/options/presets.ts'
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

/** A profile or an environment, with the options that it sets. */
function presetRow([name, { reasons, options }]: readonly [string, Preset]): string {
  const set = Object.keys(options).length === 0 ? 'none' : code(JSON.stringify(options).replaceAll('"', ''))
  return `| \`${name}\` | ${cell(set.replaceAll(/([:,])(?=\S)/g, '$1 '))} | ${cell(reasons)} |\n`
}

const presetTable = (title: string, words: string, presets: Readonly<Record<string, Preset>>) =>
  `\n## ${title}\n\n${words}\n\n| name | options | reasons |\n|---|---|---|\n${Object.entries(presets).map(presetRow).join('')}`

const profileWords = `Options of a client in a configuration, by its \`profile\`. A pool of HTTP/1.1 has as many requests at a time
as connections. On HTTP/2 these are streams, of which a connection has many, and a frame on a stream has many calls: so the
number of requests at a time is \`maxConnections\` times \`maxStreamsPerConnection\`, and \`framesInFlight\`. A client opens
a further connection when each open one has so many streams; four are the most, as each costs a handshake and a slow start.`

const environmentWords = `Options of all clients in a configuration, by its \`environment\`. They count more than a profile, and less
than a file.`

export function optionDocs(): string {
  const tables = (Object.keys(optionTable) as TableName[]).map(table).join('')
  const presets =
    presetTable('Profiles', profileWords, profiles) + presetTable('Environments', environmentWords, environments)
  return intro + tables + presets
}
