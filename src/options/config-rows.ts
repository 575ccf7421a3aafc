/** The options of a client in a configuration: those of the table, the profile, and files that hold secrets. */
import { environmentNames, profileNames } from './presets.ts'
import type { ChoiceRow, GroupRow, OptionRow, Rows, TextRow } from './row.ts'
import { allClientRows } from './table.ts'

/** Where options come from. A file holds no secrets, and only code has functions. */
export type ConfigSource = 'file' | 'environment' | 'code'

const pathRow: TextRow = { kind: 'text', must: 'the path of a file', pattern: '.' }

interface ConfigRows {
  readonly rows: Record<string, OptionRow>
  readonly refused: Record<string, string>
}

function configRows(given: Rows, source: ConfigSource): ConfigRows {
  const rows: Record<string, OptionRow> = {}
  const refused: Record<string, string> = {}
  for (const [name, row] of Object.entries(given)) {
    const file = `${name}File`
    const hasFile = row.kind === 'token' || row.kind === 'pem'
    if (row.kind === 'code' && source !== 'code') refused[name] = 'can only be given in code, to createClientRegistry'
    else if (hasFile && row.secret && source === 'file')
      refused[name] = `is a secret, which must not stand in this file; name the file that has it as ${file}`
    else rows[name] = inSource(row, source)
    if (hasFile) rows[file] = pathRow
  }
  return { rows, refused }
}

function inSource(row: OptionRow, source: ConfigSource): OptionRow {
  if (row.kind === 'text' && row.inFiles !== undefined && source === 'file') return { ...row, ...row.inFiles }
  if (row.kind !== 'group') return row
  // `cert` and `keyFile` are together, too: whether both are there, shows when the sources are merged.
  const { together: _, ...rest } = row
  const { rows, refused } = configRows(row.rows, source)
  return { ...rest, rows, refused: { ...row.refused, ...refused } }
}

function clientGroup(source: ConfigSource): GroupRow {
  const { rows, refused } = configRows(allClientRows, source)
  const profile: OptionRow = { kind: 'choice', values: profileNames }
  return { kind: 'group', type: 'ClientConfig', rows: { profile, ...rows }, refused }
}

/** The options of a client by their source. */
export const configGroups: Readonly<Record<ConfigSource, GroupRow>> = {
  file: clientGroup('file'),
  environment: clientGroup('environment'),
  code: clientGroup('code')
}

/** The options that a configuration has beside clients. */
export const environmentRow: ChoiceRow = { kind: 'choice', values: environmentNames }

/** A name of a client. Its variables end it with two underscores, so that it has none of its own. */
export const clientNamePattern = '^[A-Za-z](?!.*[_-]{2})(?!.*[_-]$)[A-Za-z0-9_-]{0,63}$'
