/** One source of a configuration, checked: the options that it gives, by client. */
import type { FieldViolation } from '../../core/error.ts'
import { type Check, checkGroup } from '../../options/check.ts'
import { checkQuantity } from '../../options/check-quantity.ts'
import { type ConfigSource, clientNamePattern, configGroups, environmentRow } from '../../options/config-rows.ts'
import type { GroupRow, OptionRow } from '../../options/row.ts'
import { ownChecks } from '../options.ts'

/** Options as a source gives them, with numbers in the unit of their option. */
export type RawOptions = Readonly<Record<string, unknown>>

/** What one source says. */
export interface ConfigLayer {
  readonly environment: string | undefined
  /** For all clients. */
  readonly defaults: RawOptions
  readonly clients: ReadonlyMap<string, RawOptions>
}

/** A check of a source: options that are not given stay out, and numbers may have units. */
export function sourceCheck(): Check & { readonly meant: Set<string> } {
  return { problems: [], own: ownChecks, quantity: checkQuantity, partial: true, meant: new Set() }
}

const isObject = (value: unknown): value is RawOptions =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A configuration in the form of a file. Problems go into `check`. */
export function readLayer(given: unknown, source: ConfigSource, check: Check): ConfigLayer {
  const root = isObject(given) ? given : undefined
  if (root === undefined && given !== undefined && given !== null) {
    check.problems.push({ field: 'configuration', description: 'must be an object with defaults and clients' })
  }
  const clients = root?.['clients']
  const names = isObject(clients) ? Object.keys(clients) : []
  const rows: Record<string, OptionRow> = {
    environment: environmentRow,
    defaults: configGroups[source],
    clients: clientsGroup(names, source)
  }
  if (source === 'file') rows['$schema'] = { kind: 'text', must: 'the address of a schema', pattern: '.' }
  check.problems.push(...names.flatMap((name) => nameProblems(name)))
  // A client without options may be written as a name with nothing behind it.
  const named = isObject(clients) ? { clients: withoutNull(clients) } : {}
  const group: GroupRow = { kind: 'group', type: 'Configuration', rows }
  const checked = checkGroup('', { ...root, ...named }, group, check) as RawOptions
  const byName = (checked['clients'] ?? {}) as RawOptions
  return {
    environment: checked['environment'] as string | undefined,
    defaults: newerNames((checked['defaults'] ?? {}) as RawOptions),
    clients: new Map(Object.entries(byName).map(([name, options]) => [name, newerNames(options as RawOptions)]))
  }
}

function clientsGroup(names: readonly string[], source: ConfigSource): GroupRow {
  const rows = Object.fromEntries(names.map((name) => [name, configGroups[source]]))
  return { kind: 'group', type: 'Clients', rows }
}

function nameProblems(name: string): FieldViolation[] {
  if (new RegExp(clientNamePattern).test(name)) return []
  const description =
    'is no name of a client: a letter, then up to 63 letters and digits, with single - or _ between them'
  return [{ field: `clients.${name.slice(0, 80)}`, description }]
}

const withoutNull = (clients: RawOptions): RawOptions =>
  Object.fromEntries(Object.entries(clients).map(([name, options]) => [name, options ?? {}]))

/** The options with the newer ones for `gzip` and `connectTimeoutMs`: one source counts more than another as a whole. */
export function newerNames(options: RawOptions): RawOptions {
  const { gzip, connectTimeoutMs, ...rest } = options
  const newer: Record<string, unknown> = { ...rest }
  if (gzip !== undefined) newer['compression'] ??= gzip ? 'auto' : 'none'
  if (connectTimeoutMs !== undefined) newer['connection'] = { connectTimeoutMs, ...(rest['connection'] as object) }
  return newer
}
