/** The JSON Schema of configuration files, for editors. */
import { headerNameForm, reservedHeaders } from '../../src/core/headers.ts'
import { endpointPattern } from '../../src/options/addresses.ts'
import { clientNamePattern, configGroups, environmentRow } from '../../src/options/config-rows.ts'
import { environments, type Preset, profiles } from '../../src/options/presets.ts'
import { quantityPattern } from '../../src/options/quantity.ts'
import type { GroupRow, NumberRow, OptionRow, Rows } from '../../src/options/row.ts'
import { endpointRows } from '../../src/options/rows/connection.ts'
import { optionTable } from '../../src/options/table.ts'
import { type TableName, wordsFor } from './comments.ts'
import { defaultOf } from './defaults.ts'

type Schema = Readonly<Record<string, unknown>>

const url = { type: 'string', pattern: endpointPattern }

/** A pattern in lower case, for names in any case. */
const anyCase = ({ source }: RegExp) =>
  source.replaceAll(/[a-z](?!-z)/g, (letter) => `[${letter}${letter.toUpperCase()}]`)

const headersSchema = {
  type: 'object',
  propertyNames: {
    allOf: [{ pattern: headerNameForm.source.replace('a-z', 'A-Za-z') }, { not: { pattern: anyCase(reservedHeaders) } }]
  },
  additionalProperties: { type: 'string', pattern: '^[ -~]*$' }
}

const presetWords = (presets: Readonly<Record<string, Preset>>) =>
  Object.entries(presets)
    .map(([name, { reasons }]) => `${name}: ${reasons}`)
    .join('\n\n')

function numberSchema(row: NumberRow): Schema {
  const { unit, integer, least, above, most, instead } = row
  const number = {
    type: integer ? 'integer' : 'number',
    ...(least === undefined ? {} : { minimum: least }),
    ...(above === undefined ? {} : { exclusiveMinimum: above }),
    ...(most === undefined ? {} : { maximum: most })
  }
  const text = unit && { type: 'string', pattern: quantityPattern(unit, row) }
  const choices = [number, ...(text ? [text] : []), ...(instead === undefined ? [] : [{ enum: instead }])]
  return choices.length === 1 ? number : { anyOf: choices }
}

function valueSchema(row: OptionRow): Schema {
  switch (row.kind) {
    case 'number':
      return numberSchema(row)
    case 'boolean':
      return { type: 'boolean' }
    case 'choice':
      return { enum: row.values }
    case 'text':
      return { type: 'string', pattern: row.pattern }
    case 'pem': {
      const pem = { type: 'string', pattern: '-----BEGIN ' }
      return row.list ? { anyOf: [pem, { type: 'array', items: pem }] } : pem
    }
    case 'headers':
      return headersSchema
    case 'endpoint':
      return { anyOf: [url, { type: 'array', minItems: 1, maxItems: 64, items: { anyOf: [url, endpointSchema()] } }] }
    case 'group': {
      const { instead = [] } = row
      const group = groupSchema(row)
      return instead.length === 0 ? group : { anyOf: [...instead.map((value) => ({ const: value })), group] }
    }
    default:
      throw new Error(`no schema for options of the kind ${row.kind}`)
  }
}

function groupSchema({ type, rows }: GroupRow): Schema {
  return { type: 'object', additionalProperties: false, properties: propertiesOf(rows, type) }
}

/** One of several endpoints. */
function endpointSchema(): Schema {
  const properties = { ...propertiesOf(endpointRows, 'EndpointOptions'), url }
  return { type: 'object', additionalProperties: false, required: ['url'], properties }
}

function propertiesOf(rows: Rows, type: string): Schema {
  const named = Object.entries(rows).map(([name, row]) => [
    name,
    { description: describe(name, row, type), ...valueSchema(row) }
  ])
  return Object.fromEntries(named)
}

function describe(name: string, row: OptionRow, type: string): string {
  if (name === 'profile') return `A set of options under one name.\n\n${presetWords(profiles)}`
  const file = name.endsWith('File') ? name.slice(0, -'File'.length) : undefined
  const words = wordsFor(tableOf(file ?? name, type), file ?? name)
  if (file !== undefined) return `Path of a file with the option \`${file}\`, seen from this file. ${words}`
  return row.required || row.kind === 'group' ? words : `${words}\nDefault: ${defaultOf(row)}.`
}

/** The options of a client are in two interfaces. */
function tableOf(name: string, type: string): TableName {
  if (type !== 'ClientConfig') return type as TableName
  return name in optionTable.PolicyOptions ? 'PolicyOptions' : 'ClientOptions'
}

/** The whole schema, as text. */
export function configSchema(): string {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of blobwire clients',
    description: 'docs/configuration.md says how the file is read. Made from src/options/table.ts.',
    type: ['object', 'null'],
    additionalProperties: false,
    properties: {
      $schema: { type: 'string', minLength: 1 },
      environment: {
        description: `Where the program runs.\n\n${presetWords(environments)}`,
        ...valueSchema(environmentRow)
      },
      defaults: { description: 'Options of all clients.', $ref: '#/definitions/client' },
      clients: {
        description: 'Clients by their names.',
        type: 'object',
        propertyNames: { pattern: clientNamePattern },
        additionalProperties: { anyOf: [{ $ref: '#/definitions/client' }, { type: 'null' }] }
      }
    },
    definitions: { client: groupSchema(configGroups.file) }
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}
