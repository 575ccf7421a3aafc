/** The settings of each session, and what a database must be like. */
import { BlobwireError } from '../../../../src/core/error.ts'
import type { Row, Statement } from './database.ts'
import { isDatabaseError } from './database-failure.ts'

/** A statement ends after this time. */
const statementTimeoutMs = 10_000
/**
 * A transaction that does nothing ends after this time: those of a server whose machine has gone hold their locks no longer,
 * and whoever waits for a lock gets it before its own statement ends.
 */
const idleTransactionTimeoutMs = 3000
/** Major version; before it, engines of this wire lack statements that the store needs. */
const oldestVersion = 13

/**
 * With a hash or merge join rows are locked in the order of the table: overlapping moves deadlock. A prepared statement
 * that reads a small table whole would go on to do so while the table grows.
 */
const settings: Readonly<Record<string, string>> = {
  statement_timeout: String(statementTimeoutMs),
  idle_in_transaction_session_timeout: String(idleTransactionTimeoutMs),
  default_transaction_isolation: 'read committed',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_seqscan: 'off'
}

/**
 * Sets them and asks about the server, in one round trip. A stronger `synchronous_commit` stays. Plans are made once, which
 * saves a lone commit a third of its time in the database; Citus has to know the repository to plan, and makes each anew.
 */
export const sessionStatement: Statement = {
  name: '',
  text: `SELECT ${Object.entries(settings)
    .map(([name, value]) => `set_config('${name}', '${value}', false)`)
    .join(', ')},
    set_config('synchronous_commit',
      CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
    set_config('plan_cache_mode',
      CASE WHEN EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN 'auto' ELSE 'force_generic_plan' END, false),
    current_setting('fsync', true) AS fsync,
    current_setting('server_version', true) AS version,
    current_setting('server_version_num', true) AS version_number,
    current_setting('transaction_read_only') AS read_only,
    current_setting('synchronous_standby_names', true) AS standbys`,
  values: []
}

/** A server of the database that answered. */
export interface ServerFacts {
  readonly version: string
  /** Whether a commit waits for a standby. */
  readonly hasSynchronousStandby: boolean
}

/** A server of the database that the store must not use. A standby may become the primary; the rest lasts. */
export class UnfitDatabase extends BlobwireError {
  readonly isStandby: boolean

  constructor(endpoint: string, message: string, isStandby = false) {
    super({ reason: 'database_refused', message: `the database ${endpoint} ${message}` })
    this.isStandby = isStandby
  }
}

/** SQLSTATEs, or classes of them, of a server that lets nobody in with the URL, and what helps. */
const entryRefusals: Readonly<Record<string, string>> = {
  '28': 'check the user and the password (--database-password-file, PGPASSWORD or the URL), and pg_hba.conf',
  '3D': 'make it, with the user as its owner, or correct the name in the URL',
  '42501': 'GRANT CONNECT ON DATABASE to the user'
}
/** The driver has nothing to answer the question for a password with. */
const noPassword = /client password must be/

/** The refusal that an error means which came instead of a session; undefined = the server may be reached later. */
export function entryRefusal(endpoint: string, error: unknown): UnfitDatabase | undefined {
  const { code = '', message } = error as { code?: string; message: string }
  if (noPassword.test(message)) {
    const help = 'give it by --database-password-file, PGPASSWORD or the URL'
    return new UnfitDatabase(endpoint, `asks for a password, and there is none: ${help}`)
  }
  const help = isDatabaseError(error) && (entryRefusals[code.slice(0, 2)] ?? entryRefusals[code])
  return help ? new UnfitDatabase(endpoint, `cannot be used: ${code}: ${message}; ${help}`) : undefined
}

/** @throws UnfitDatabase */
export function checkServer(endpoint: string, row: Row): ServerFacts {
  const { fsync, version, version_number: number, read_only: readOnly, standbys } = row
  if (fsync === 'off') throw new UnfitDatabase(endpoint, 'runs with fsync = off: set it to on, or a crash loses writes')
  if (Number(number) < oldestVersion * 10_000) {
    throw new UnfitDatabase(endpoint, `has version ${version}; the oldest that can be used is ${oldestVersion}`)
  }
  if (readOnly === 'on') throw new UnfitDatabase(endpoint, 'is a standby or read-only: it takes no writes', true)
  return { version: String(version), hasSynchronousStandby: typeof standbys === 'string' && standbys !== '' }
}
