/** The options of one client, from all sources: code > environment > file > preset of the environment > profile. */

import { BlobwireError, type FieldViolation } from '../../core/error.ts'
import { fileTrouble } from '../../core/file-trouble.ts'
import { configGroups } from '../../options/config-rows.ts'
import { type EnvironmentName, environments, type ProfileName, profiles } from '../../options/presets.ts'
import type { Rows } from '../../options/row.ts'
import * as configuration from '../../platform/configuration.ts'
import type { ClientOptions } from '../client-options.ts'
import { resolveOptions } from '../options.ts'
import { variableOf } from './environment.ts'
import type { Findings } from './findings.ts'
import type { ConfigLayer, RawOptions } from './layer.ts'

const isObject = (value: unknown): value is RawOptions =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `high` over `low`; groups are merged option by option. */
function mergeOptions(low: RawOptions, high: RawOptions, rows: Rows): RawOptions {
  const merged: Record<string, unknown> = { ...low }
  for (const [key, value] of Object.entries(high)) {
    const row = rows[key]
    const below = merged[key]
    const inGroup = row?.kind === 'group' && isObject(value) && isObject(below)
    merged[key] = inGroup ? mergeOptions(below, value, row.rows) : value
    // `token` and `tokenFile` are one option.
    const other = key.endsWith('File') ? key.slice(0, -'File'.length) : `${key}File`
    if (Object.hasOwn(rows, other) && !Object.hasOwn(high, other)) delete merged[other]
  }
  return merged
}

/** The environment that the highest layer names. */
export function environmentOf(layers: readonly ConfigLayer[]): EnvironmentName {
  const named = layers.findLast(({ environment }) => environment !== undefined)?.environment ?? 'production'
  return Object.hasOwn(environments, named) ? (named as EnvironmentName) : 'production'
}

/** Options of a client, from layers with the highest last. Files that they name are not read yet. */
function mergedOptions(name: string, layers: readonly ConfigLayer[]): RawOptions {
  const { rows } = configGroups.code
  const given = layers.flatMap(({ defaults, clients }) => [defaults, clients.get(name) ?? {}])
  const { profile, ...merged } = given.reduce((low, high) => mergeOptions(low, high, rows), {})
  const ofProfile = Object.hasOwn(profiles, String(profile)) ? profiles[profile as ProfileName].options : {}
  const presets = [ofProfile, environments[environmentOf(layers)].options]
  return [...presets, merged].reduce((low: RawOptions, high: RawOptions) => mergeOptions(low, high, rows), {})
}

/** Reads the files that options name. A token is read before each request, so that a new one in the file counts. */
function withFiles(options: RawOptions, problems: FieldViolation[], path = ''): ClientOptions {
  const found: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(options)) {
    const field = path === '' ? key : `${path}.${key}`
    if (key === 'tls' && isObject(value)) found[key] = withFiles(value, problems, field)
    else if (!key.endsWith('File')) found[key] = value
    else {
      const option = key.slice(0, -'File'.length)
      // Of two sources, the higher one has taken the place of the other.
      if (options[option] !== undefined) problems.push({ field, description: `must not be given beside ${option}` })
      const text = readNow(String(value), field, problems)
      found[option] = key === 'tokenFile' ? tokenIn(String(value), text) : text
    }
  }
  return found as unknown as ClientOptions
}

function tokenIn(path: string, first: string | undefined): () => Promise<string> {
  return async () => (first === undefined ? '' : (await configuration.readText(path)).trim())
}

function readNow(path: string, field: string, problems: FieldViolation[]): string | undefined {
  try {
    return configuration.readTextNow(path)
  } catch (error) {
    problems.push({ field, description: `cannot be read: ${fileTrouble(error)} ${JSON.stringify(path)}` })
    return undefined
  }
}

/** The names of all clients. */
export function namesIn(layers: readonly ConfigLayer[]): string[] {
  return [...new Set(layers.flatMap(({ clients }) => [...clients.keys()]))]
}

/**
 * The options of every client, with the highest layer last. Mistakes that show only in the whole go into `findings`.
 * `isComplete`: no further source can bring the endpoint.
 */
export function checkedOptions(
  layers: readonly ConfigLayer[],
  findings: Findings,
  { isComplete }: { readonly isComplete: boolean }
): ReadonlyMap<string, ClientOptions> {
  const names = namesIn(layers)
  tellSharedVariables(names, findings)
  return new Map(names.map((name) => [name, checkClient(name, layers, { findings, isComplete })]))
}

/** `user-storage` and `userStorage` are the same client to the environment: a variable would be of one of them alone. */
function tellSharedVariables(names: readonly string[], findings: Findings): void {
  const owners = new Map<string, string>()
  for (const name of names) {
    const variables = variableOf(['<OPTION>'], name)
    const owner = owners.get(variables)
    const description = `has the variables of ${owner}, ${variables}; rename one of them`
    if (owner === undefined) owners.set(variables, name)
    else findings.add({ field: `clients.${name}`, description })
  }
}

function checkClient(
  name: string,
  layers: readonly ConfigLayer[],
  { findings, isComplete }: { readonly findings: Findings; readonly isComplete: boolean }
): ClientOptions {
  const problems: FieldViolation[] = []
  const options = withFiles(mergedOptions(name, layers), problems)
  if (options.endpoint === undefined) {
    const variables = `${variableOf(['endpoint'], name)}, or ${variableOf(['endpoint'])} for all clients`
    const description = `is required: give it in the configuration, or set ${variables}`
    if (isComplete && !findings.isWrong('endpoint')) findings.add({ field: `clients.${name}.endpoint`, description })
  }
  problems.push(...problemsOf({ ...options, endpoint: options.endpoint ?? 'http://0.0.0.0' }))
  for (const { field, description } of problems) {
    if (!findings.isWrong(field)) findings.add({ field: `clients.${name}.${field}`, description })
  }
  return options
}

function problemsOf(options: ClientOptions): readonly FieldViolation[] {
  try {
    resolveOptions(options)
    return []
  } catch (error) {
    if (!(error instanceof BlobwireError)) throw error
    return error.details.violations ?? [{ field: '', description: error.message }]
  }
}
