/**
 * Makes the schema in one transaction, and brings one of an earlier version up to date with a transaction for each
 * statement: one server at a time, and the others wait. Migrations only add, so that servers of the version before go on
 * meanwhile; a transaction that locked several tables could lock out theirs.
 */
import { type Clock, systemClock } from '../../../../src/core/clock.ts'
import { BlobwireError } from '../../../../src/core/error.ts'
import { pauseCall, withJitter } from '../database/back-off.ts'
import type { Database, Statement, Transaction } from '../database/database.ts'
import { isDatabaseError } from '../database/database-failure.ts'
import { migrations as allMigrations, type Migration } from './migrations.ts'

/** Another server makes the schema now: its row is locked, or it made a table between two looks. Or a lock takes long. */
const passing = ['55P03', '57014', '23505', '42P07', '42710']
const retryMs = 200
/** The time for a migration of another server. */
const waitMs = 600_000

/** Options of `openSchema`. */
export interface SchemaOptions {
  /** @default those of this version */
  readonly migrations?: readonly Migration[] | undefined
  readonly clock?: Clock | undefined
}

/** @throws BlobwireError reason `data_format`: the schema is newer than this server; `database_refused`: the user lacks a right */
export async function openSchema(
  database: Database,
  { migrations = allMigrations, clock = systemClock }: SchemaOptions = {}
): Promise<void> {
  for (const endMs = clock.now() + waitMs; ; ) {
    try {
      const version = await readVersion(database)
      if (version > migrations.length) throw tooNew(version, migrations.length)
      if (version === migrations.length) return
      await database.transaction((transaction) => migrate(transaction, migrations))
    } catch (error) {
      const { cause } = error as Error
      if (isDatabaseError(cause) && cause.code === '42501') throw noRight(cause)
      if (!isDatabaseError(cause) || !passing.includes(cause.code) || clock.now() > endMs) throw error
      await pauseCall(clock, withJitter(retryMs))
    }
  }
}

const plain = (text: string, values: readonly unknown[] = []): Statement => ({ name: '', text, values })

/** 0 = there is no schema. */
async function readVersion(database: Pick<Database, 'read'>): Promise<number> {
  const [found] = await database.read(plain("SELECT to_regclass('schema_version') IS NOT NULL AS is_there"))
  if (!found?.['is_there']) return 0
  const [row] = await database.read<{ version: number }>(plain('SELECT version FROM schema_version'))
  return row?.version ?? 0
}

/** One server at a time comes behind the first statements. */
async function migrate(transaction: Transaction, migrations: readonly Migration[]): Promise<void> {
  const run = (text: string, values?: readonly unknown[]) => transaction.query(plain(text, values))
  await run("SET LOCAL statement_timeout = '10min'")
  // Statements of other servers would queue behind a lock that is waited for.
  await run("SET LOCAL lock_timeout = '2s'")
  const [extension] = await run("SELECT 1 AS is_there FROM pg_extension WHERE extname = 'citus'")
  if (extension) await run("SET LOCAL citus.multi_shard_modify_mode = 'sequential'")
  const [found] = await run("SELECT to_regclass('schema_version') IS NOT NULL AS is_there")
  if (!found?.['is_there']) {
    await run('CREATE TABLE schema_version (one integer PRIMARY KEY, version integer NOT NULL, step integer NOT NULL)')
    await run('INSERT INTO schema_version (one, version, step) VALUES (1, 0, 0)')
    if (extension) await run("SELECT create_reference_table('schema_version')")
  }
  const [row] = await run('SELECT version, step FROM schema_version WHERE one = 1 FOR UPDATE NOWAIT')
  const { version, step } = row as { version: number; step: number }
  const next = migrations[version]
  if (next === undefined) return
  const of = (migration: Migration) =>
    extension ? [...migration.statements, ...citusStatements(migration)] : migration.statements
  const steps = version === 0 ? migrations.flatMap(of) : of(next)
  for (const text of version === 0 ? steps : steps.slice(step, step + 1)) await run(text)
  const isDone = version === 0 || step + 1 >= steps.length
  const reached = version === 0 ? migrations.length : version + 1
  await run('UPDATE schema_version SET version = $1::integer, step = $2::integer WHERE one = 1', [
    isDone ? reached : version,
    isDone ? 0 : step + 1
  ])
}

/** Citus keeps the tables where it is told. */
function citusStatements({ references = [], distributed = [] }: Migration): string[] {
  return [
    ...references.map((table) => `SELECT create_reference_table('${table}')`),
    ...distributed.map(
      ({ table, column, besides = 'none' }) =>
        `SELECT create_distributed_table('${table}', '${column}', colocate_with => '${besides}')`
    )
  ]
}

function noRight(cause: Error): BlobwireError {
  return new BlobwireError({
    reason: 'database_refused',
    message: `the database cannot be used: ${cause.message}; its user has to own the tables, or have the right to make them: ALTER DATABASE … OWNER TO, or GRANT CREATE ON SCHEMA`,
    cause
  })
}

function tooNew(version: number, known: number): BlobwireError {
  return new BlobwireError({
    reason: 'data_format',
    message: `the database cannot be used: its schema has version ${version}; this server knows versions up to ${known}; use the version of the server that made it, or a later one`
  })
}
