/** The options of a server that choose its store. */
import type { Store } from './store/store.ts'

/** Which store, and where its data is. */
export interface StoreOptions {
  /**
   * `git` needs `data`, `postgres` needs `database`. A given store is closed with the server.
   * @default 'memory'
   */
  readonly store?: 'memory' | 'git' | 'postgres' | Store | undefined
  /** Directory of the Git store, or of the embedded database. */
  readonly data?: string | undefined
  /** URLs of the PostgreSQL store's database; `embedded` = the one that npm brings, shared by servers with the same `data`. */
  readonly database?: readonly string[] | undefined
  /** Of URLs without a password; called for each connection. @default the variable `PGPASSWORD` */
  readonly databasePassword?: (() => Promise<string>) | undefined
  /** Of the Git store. */
  readonly gitStore?: GitHousekeeping | undefined
}

/** How the Git store keeps the packs of its repositories (docs/git-store.md). */
export interface GitHousekeeping {
  /**
   * Whether the store joins packs in the background.
   * @default true
   */
  readonly housekeeping?: boolean
  /**
   * Hours that new objects survive every `git gc`, reached by a ref or not.
   * @default 336
   */
  readonly gracePeriodHours?: number
}
