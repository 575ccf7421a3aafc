/** Opens the store that options name. */
import { loadPart } from './optional-package.ts'
import { logged } from './server-facts.ts'
import { GitStore } from './store/git/git-store.ts'
import { MemoryStore } from './store/memory-store.ts'
import type { DatabaseOptions } from './store/postgres/database/pipelined-database.ts'
import type { Store } from './store/store.ts'
import type { StoreOptions } from './store-options.ts'

type Log = (event: Readonly<Record<string, unknown>>) => void

/** Loaded on demand: who has no database needs no driver. */
async function openPostgresStore({ data, database = [], databasePassword }: StoreOptions, log: Log): Promise<Store> {
  const isEmbedded = database[0] === 'embedded'
  if (isEmbedded) (await import('./store/postgres/embedded/binaries.ts')).packageDirectory()
  const { PostgresStore } = await loadPart('--store postgres', 'pg', () => import('./store/postgres/postgres-store.ts'))
  const logs: Pick<DatabaseOptions, 'onServer' | 'onNoServer'> = {
    onServer: (name, facts) => log({ event: 'database', database: name, ...facts }),
    onNoServer: ({ message }) => log({ event: 'database_lost', message })
  }
  if (!isEmbedded) return PostgresStore.open({ urls: database, password: databasePassword, ...logs })
  const { joinEngine } = await import('./store/postgres/embedded/join-engine.ts')
  const share = await joinEngine(data)
  log({ event: 'database_embedded', directory: share.directory })
  try {
    return await PostgresStore.open({ urls: [share.url], onClosed: share.leave, ...logs })
  } catch (error) {
    share.leave()
    throw error
  }
}

/** @param log is told where the Git store cannot join its packs, and which server of the database is used */
export async function openStore(options: StoreOptions, log: Log): Promise<Store> {
  const { store, data, gitStore } = options
  if (store === 'postgres') return openPostgresStore(options, log)
  if (store === 'git') {
    const onHousekeepingFailure = (repository: string, error: unknown) =>
      log({ event: 'housekeeping_failed', repository, ...logged(error) })
    return GitStore.open(data as string, { ...gitStore, onHousekeepingFailure })
  }
  return store === undefined || store === 'memory' ? new MemoryStore() : store
}
