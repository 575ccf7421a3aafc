/** The interfaces of the table of options, in TypeScript. */
import type { OptionRow } from '../../src/options/row.ts'
import { optionTable } from '../../src/options/table.ts'
import { type TableName, wordsFor } from './comments.ts'
import { defaultOf } from './defaults.ts'

const width = 120

/** Interfaces that refer to types of the client layer stand there. */
const ofClient: readonly TableName[] = ['PolicyOptions', 'ClientOptions']

const bases: Partial<Record<TableName, TableName>> = { ClientOptions: 'PolicyOptions' }

const rowsOf = (name: TableName) => Object.entries<OptionRow>(optionTable[name])

/** A comment of several lines, so that editors and the documentation show the same text. */
function commentOf(indent: string, paragraphs: readonly string[]): string {
  const lines = paragraphs.flatMap((text) => {
    let line = ''
    const wrapped: string[] = []
    for (const word of text.split(' ')) {
      if (line !== '' && indent.length + 3 + line.length + 1 + word.length > width) {
        wrapped.push(line)
        line = word
      } else line = line === '' ? word : `${line} ${word}`
    }
    return [...wrapped, line]
  })
  const short = `${indent}/** ${lines[0]} */`
  if (lines.length === 1 && short.length <= width) return `${short}\n`
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`
}

const union = (values: readonly unknown[]) =>
  values.map((value) => (typeof value === 'string' ? `'${value}'` : String(value))).join(' | ')

/** The type of a value; `resolved` prefixes the names of groups. */
function typeOf(row: OptionRow, resolved = ''): string {
  switch (row.kind) {
    case 'number':
      return row.instead === undefined ? 'number' : `number | ${union(row.instead)}`
    case 'boolean':
      return 'boolean'
    case 'choice':
      return union(row.values)
    case 'text':
      return 'string'
    case 'headers':
      return 'Readonly<Record<string, string>>'
    case 'pem':
      return row.list ? 'Pem | readonly Pem[]' : 'Pem'
    case 'group': {
      const name = `${resolved}${row.type}`
      return row.instead === undefined ? name : `${name} | ${union(row.instead)}`
    }
    case 'code':
      return row.list ? `readonly ${row.type}[]` : row.type
    default:
      return row.type
  }
}

const hasDefault = (row: OptionRow) =>
  row.kind === 'headers' ||
  (row.kind === 'group' && !row.optional) ||
  (row.kind === 'code' && row.list === true) ||
  ('default' in row && row.default !== undefined)

function optionsInterface(name: TableName): string {
  const base = bases[name]
  const members = rowsOf(name).map(([option, row]) => {
    const tags = row.required ? [] : [`@default ${defaultOf(row)}`]
    const type = row.required ? `: ${typeOf(row)}` : `?: ${typeOf(row)} | undefined`
    return `${commentOf('  ', [wordsFor(name, option), ...tags])}  ${option}${type}\n`
  })
  const head = `export interface ${name}${base === undefined ? '' : ` extends ${base}`}`
  return `${commentOf('', [wordsFor(name)])}${head} {\n${members.join('')}}\n`
}

function resolvedInterface(name: TableName): string {
  const base = bases[name]
  const members = rowsOf(name).map(
    ([option, row]) =>
      `  readonly ${option}: ${typeOf(row, 'Resolved')}${row.required || hasDefault(row) ? '' : ' | undefined'}\n`
  )
  const head = `export interface Resolved${name}${base === undefined ? '' : ` extends Resolved${base}`}`
  return `/** \`${name}\` with every default in place. */\n${head} {\n${members.join('')}}\n`
}

const head = (about: string) => `/** ${about}. Made from src/options/table.ts by \`npm run generate\`. */\n`
const interfaces = (names: readonly TableName[]) =>
  names.map((name) => `\n${optionsInterface(name)}\n${resolvedInterface(name)}`).join('')

/** The interfaces that other layers read. */
export function groupTypes(): string {
  const names = (Object.keys(optionTable) as TableName[]).filter((name) => !ofClient.includes(name))
  return `${head('Groups of options')}import type { Pem } from './pem.ts'\n${interfaces(names)}`
}

/** The interfaces of the client layer. */
export function clientTypes(): string {
  const text = interfaces(ofClient)
  const imports = new Map<string, Set<string>>()
  const add = (type: string, from: string) => imports.set(from, (imports.get(from) ?? new Set()).add(type))
  for (const [, row] of ofClient.flatMap(rowsOf)) {
    if (row.kind === 'group') {
      add(row.type, 'options/types.ts')
      add(`Resolved${row.type}`, 'options/types.ts')
    }
    if (!('from' in row) || row.from === undefined) continue
    for (const type of row.type.match(/[A-Z]\w*/g) ?? []) add(type, row.from)
  }
  const lines = [...imports]
    .map(([from, types]) => {
      const path = from.startsWith('client/') ? `./${from.slice('client/'.length)}` : `../${from}`
      const names = [...types].sort()
      const line = `import type { ${names.join(', ')} } from '${path}'\n`
      return [
        path,
        line.length - 1 <= width ? line : line.replace('{ ', '{\n  ').replaceAll(', ', ',\n  ').replace(' }', '\n}')
      ]
    })
    .sort(([one = ''], [other = '']) => (order(one) < order(other) ? -1 : 1))
  return `${head('Options of a client')}${lines.map(([, line]) => line).join('')}${text}`
}

/** Imports from other directories come first. */
const order = (path: string) => (path.startsWith('../') ? ` ${path}` : path)
