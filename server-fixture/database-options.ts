/** The flags of the PostgreSQL store's database. */

import { readDatabaseUrl } from './store/postgres/database/database-url.ts'
import type { StoreOptions } from './store-options.ts'
import { readFlagFile, UsageError } from './usage-error.ts'

interface DatabaseFlags {
  readonly store: string
  readonly database?: string | undefined
  readonly 'database-password-file'?: string | undefined
}

/** @throws UsageError */
export async function databaseOf(flags: DatabaseFlags): Promise<Pick<StoreOptions, 'database' | 'databasePassword'>> {
  const { store, database, 'database-password-file': file } = flags
  if (database !== undefined && store !== 'postgres') throw new UsageError('--database requires --store postgres')
  if (database === undefined) {
    if (store === 'postgres') throw new UsageError('--store postgres requires --database URL')
    if (file !== undefined) throw new UsageError('--database-password-file requires --database')
    return {}
  }
  const urls = database.split(',')
  if (database !== 'embedded') for (const url of urls) await check(url)
  if (file === undefined) return { database: urls }
  const databasePassword = async () => (await readFlagFile('database-password-file', file)).toString().trimEnd()
  await databasePassword()
  return { database: urls, databasePassword }
}

async function check(url: string): Promise<void> {
  try {
    await readDatabaseUrl(url)
  } catch (error) {
    throw new UsageError(`--database: ${(error as Error).message}`)
  }
}
