/** Options from the environment: `BLOBWIRE_<OPTION>` for all clients, `BLOBWIRE_CLIENT_<NAME>__<OPTION>` for one. */
import { show } from '../../core/check-options.ts'
import type { FieldViolation } from '../../core/error.ts'
import { nearestName } from '../../core/nearest-name.ts'
import { checkGroup } from '../../options/check.ts'
import { configGroups, environmentRow } from '../../options/config-rows.ts'
import type { OptionRow, Rows } from '../../options/row.ts'
import type { Findings } from './findings.ts'
import { type ConfigLayer, newerNames, type RawOptions, sourceCheck } from './layer.ts'

/** Variables by their names. */
export type Environment = Readonly<Record<string, string | undefined>>

const prefix = 'BLOBWIRE_'

/** Variables of the server, of tests and of tools. */
const others = /^BLOBWIRE_(SERVER_.*|TEST_.*|CONFIG|SEED|INSTANCE)$/

/** Variables that Kubernetes makes for a service whose name begins with `blobwire`. */
const serviceLinks =
  /^BLOBWIRE_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/

/** `maxAttempts` is MAX_ATTEMPTS, `user-storage` and `userStorage` are USER_STORAGE. */
function inCapitals(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase()
}

/** The variable of an option of all clients, or of one. */
export function variableOf(path: readonly string[], client?: string): string {
  const scope = client === undefined ? '' : `CLIENT_${inCapitals(client)}__`
  return `${prefix}${scope}${path.map(inCapitals).join('__')}`
}

interface Option {
  readonly path: readonly string[]
  readonly row: OptionRow
}

/** All options, and groups, by the name of the variable without its prefix. */
function optionsByVariable(rows: Rows, above: readonly string[] = []): Map<string, Option> {
  const found = new Map<string, Option>()
  for (const [name, row] of Object.entries(rows)) {
    const path = [...above, name]
    found.set(path.map(inCapitals).join('__'), { path, row })
    if (row.kind !== 'group') continue
    for (const [variable, option] of optionsByVariable(row.rows, path)) found.set(variable, option)
  }
  return found
}

const group = configGroups.environment
const options = optionsByVariable(group.rows)

/** The options in the environment. `names` are the known clients; undefined = any name makes a client. */
export function readEnvironment(
  environment: Environment,
  names: readonly string[] | undefined,
  findings: Findings
): ConfigLayer {
  const clients = new Map((names ?? []).map((name) => [inCapitals(name), name]))
  const all: Record<string, unknown> = {}
  const byClient = new Map<string, Record<string, unknown>>()
  let preset: string | undefined
  for (const [variable, value = ''] of Object.entries(environment)) {
    if (!variable.startsWith(prefix) || value === '' || others.test(variable)) continue
    const [, capitals, rest = variable.slice(prefix.length)] = /^BLOBWIRE_CLIENT_(.+?)__(.+)$/.exec(variable) ?? []
    const option = options.get(rest)
    const name = capitals === undefined ? '' : (clients.get(capitals) ?? (names ? undefined : newName(capitals)))
    if (rest === 'ENVIRONMENT' && name === '') preset = checkPreset(variable, value, findings)
    else if (option === undefined && serviceLinks.test(variable)) continue
    else if (option === undefined) findings.add(unknownVariable(variable, rest, capitals))
    else if (name === undefined) findings.add(unknownClient(variable, capitals ?? '', clients))
    else {
      if (name !== '' && !byClient.has(name)) byClient.set(name, {})
      setValue(byClient.get(name) ?? all, option.path, configValueOf(value, option.row))
    }
  }
  return {
    environment: preset,
    defaults: checkScope(all, undefined, findings),
    clients: new Map([...byClient].map(([name, raw]) => [name, checkScope(raw, name, findings)]))
  }
}

/** The name of a client that the environment alone has. */
const newName = (capitals: string) => capitals.toLowerCase().replaceAll('_', '-')

function checkPreset(variable: string, value: string, findings: Findings): string | undefined {
  if (environmentRow.values.includes(value)) return value
  findings.add({
    field: variable,
    description: `must be one of ${environmentRow.values.join(', ')}, not ${show(value)}`
  })
  return undefined
}

/** Of a name without its unit, or of a client's without the second `_`: the name as it should be. */
function intendedOption(rest: string): string | undefined {
  const names = [...options.keys()]
  if (!rest.startsWith('CLIENT_')) return names.find((name) => name === `${rest}_MS` || name === `${rest}_BYTES`)
  const [longest] = names.filter((name) => rest.endsWith(`_${name}`)).sort((a, b) => b.length - a.length)
  return longest && `${rest.slice(0, -longest.length - 1)}__${longest}`
}

function unknownVariable(variable: string, rest: string, capitals: string | undefined): FieldViolation {
  const scope = capitals === undefined ? prefix : `${prefix}CLIENT_${capitals}__`
  const names = capitals === undefined ? ['ENVIRONMENT', ...options.keys()] : [...options.keys()]
  const meant = intendedOption(rest) ?? nearestName(rest, names)
  const hint = meant === undefined ? '' : `did you mean ${scope}${meant}? `
  return {
    field: variable.slice(0, 120),
    description: `unknown variable; ${hint}expected ${scope}<OPTION> with an option of docs/options.md, such as ${scope}TIMEOUT_MS`
  }
}

function unknownClient(variable: string, capitals: string, clients: ReadonlyMap<string, string>): FieldViolation {
  const nearest = nearestName(capitals, [...clients.keys()])
  const hint = nearest === undefined ? '' : `did you mean ${variable.replace(capitals, nearest)}? `
  const known = [...clients.keys()].join(', ')
  return { field: variable, description: `unknown client ${capitals}; ${hint}expected one of ${known}` }
}

/** The value of a variable as a file would have it. */
function configValueOf(text: string, row: OptionRow): unknown {
  switch (row.kind) {
    case 'number':
      return /^-?[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : text
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    case 'group':
      return text === 'false' ? false : text
    case 'headers':
      return headersOf(text)
    case 'endpoint':
      return text.includes(',') ? text.split(',').map((each) => each.trim()) : text
    case 'pem':
      return text.includes('\n') ? text : text.replaceAll('\\n', '\n')
    default:
      return text
  }
}

/** `name=value,name=value`, as OpenTelemetry has headers in the environment. */
function headersOf(text: string): unknown {
  const pairs = text.split(',').map((pair) => /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair))
  if (pairs.some((pair) => pair === null)) return []
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']))
}

function setValue(scope: Record<string, unknown>, [step = '', ...rest]: readonly string[], value: unknown): void {
  const found = scope[step]
  const inner = typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : undefined
  // RETRY=false beside RETRY__MAX_ATTEMPTS: the options count.
  if (rest.length === 0) scope[step] = inner ?? value
  else {
    scope[step] = inner ?? {}
    setValue(scope[step] as Record<string, unknown>, rest, value)
  }
}

/** Checks the variables of all clients (`client` undefined), or of one. */
function checkScope(raw: RawOptions, client: string | undefined, findings: Findings): RawOptions {
  const check = sourceCheck()
  const checked = checkGroup('', raw, group, check) as RawOptions
  for (const { field, description } of check.problems) {
    const [first = '', ...rest] = field.replace(/\[.*$/, '').split('.')
    const path = first === 'headers' ? [first] : [first, ...rest]
    const variable = variableOf(path, client)
    findings.add({ field: variable, description: inVariables(description, path, variable) }, field)
  }
  return newerNames(checked)
}

/** A variable is neither an object nor has objects. */
function inVariables(description: string, path: readonly string[], variable: string): string {
  if (!description.startsWith('must be an object'))
    return description.replace('a function that returns a bearer token, or ', '')
  const row = options.get(path.map(inCapitals).join('__'))?.row
  if (row?.kind !== 'group') return 'must be name=value,name=value'
  const [option = ''] = Object.keys(row.rows)
  const off = row.instead?.includes(false) ? 'must be false, or' : 'has no value of its own;'
  return `${off} each of its options is a variable, such as ${variable}__${inCapitals(option)}`
}
