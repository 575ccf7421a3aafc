/** All versions of the schema: each migration makes the next one. */
import { tables } from './tables.ts'

/** Statements that make one version of the schema out of the one before. They only add. */
export interface Migration {
  readonly statements: readonly string[]
  /** New tables that Citus keeps on every node. */
  readonly references?: readonly string[]
  /** New tables that Citus distributes. */
  readonly distributed?: readonly DistributedTable[]
}

interface DistributedTable {
  readonly table: string
  /** The id of the repository. */
  readonly column: string
  /** A table beside whose rows its own lie. */
  readonly besides?: string
}

const besides = (table: string, column = 'repository') => ({ table, column, besides: 'repositories' })

/** A schema has as many of them behind it as its version says. One that was published is never changed. */
export const migrations: readonly Migration[] = [
  {
    statements: tables,
    references: ['names', 'name_keys', 'push_lease', 'push_cursors'],
    distributed: [
      { table: 'repositories', column: 'id' },
      besides('objects'),
      besides('chunks'),
      besides('uploads'),
      besides('refs'),
      besides('request_keys'),
      besides('events'),
      besides('tombstones', 'id')
    ]
  }
]
