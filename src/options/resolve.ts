/** Resolved options: every check made, and every default in place. */
import { type Check, checkRows, throwProblems } from './check.ts'
import type { Rows } from './row.ts'
import { connectionRows } from './rows/connection.ts'
import type { ConnectionOptions, ResolvedConnectionOptions } from './types.ts'

/** @throws BlobwireError `invalid_argument` that has all problems */
export function resolveRows(path: string, given: unknown, rows: Rows): unknown {
  const check: Check = { problems: [] }
  const resolved = checkRows(path, given, rows, check)
  throwProblems(check.problems)
  return resolved
}

/** @throws BlobwireError `invalid_argument` that has all problems */
export function resolveConnection(given: ConnectionOptions | undefined): ResolvedConnectionOptions {
  return resolveRows('connection', given, connectionRows) as ResolvedConnectionOptions
}
