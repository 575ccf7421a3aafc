/** The subcommands `export` and `import` of the server: their flags, and the store on which they work. */
import { parseArgs } from 'node:util'
import { openStore } from '../open-store.ts'
import { readOptions } from '../options.ts'
import type { Store } from '../store/store.ts'
import { UsageError } from '../usage-error.ts'

/** Flags that the server reads as well. */
const storeFlags = ['store', 'data', 'database', 'database-password-file'] as const

/** The same, as `--help` shows them. */
export const storeUsage = `  --store S          git or postgres
  --data DIR         directory of the git store, or of the embedded database
  --database URL[,URL…]  database of the postgres store, or embedded
  --database-password-file FILE  its password (default: the variable PGPASSWORD)`

type Flags = NonNullable<Parameters<typeof parseArgs>[0]>['options']

/** What was asked for. */
interface StoreCommand {
  readonly values: Readonly<Record<string, unknown>>
  readonly positionals: readonly string[]
  readonly storeKind: unknown
  openStore(): Promise<Store>
}

/** @throws UsageError */
export async function readCommand(args: readonly string[], own: NonNullable<Flags>): Promise<StoreCommand> {
  const shared = Object.fromEntries(storeFlags.map((flag) => [flag, { type: 'string' as const }]))
  const { values, positionals } = parse(args, { ...own, ...shared })
  const passedOn = storeFlags.flatMap((flag) => (values[flag] === undefined ? [] : [`--${flag}`, String(values[flag])]))
  const options = (await readOptions(passedOn, {})) ?? {}
  if (options.store === 'memory') throw new UsageError('--store must be git or postgres: a memory store is empty')
  return { values, positionals, storeKind: options.store, openStore: () => openStore(options, () => undefined) }
}

function parse(args: readonly string[], options: NonNullable<Flags>) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
