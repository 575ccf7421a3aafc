/** `npm run export`: repositories of a store as bare Git repositories. */

import type { Store } from '../store/store.ts'
import { UsageError } from '../usage-error.ts'
import { readCommand, storeUsage } from './command-line.ts'
import { GitExports } from './git-exports.ts'

/** As `export --help` shows it. */
export const exportUsage = `usage: npm run export -- [REPOSITORY…] --to DIR --store S [flags]
  REPOSITORY         a repository of the store (default: all)
  --to DIR           directory of the exports: the repository a/b becomes, or is brought up to date in, DIR/a/b.git
${storeUsage}

Prints a line for each repository. Run again, it writes what is new.`

const pageRepositories = 1000

/** Prints with `say`. @throws UsageError */
export async function runExport(args: readonly string[], say: (line: string) => void): Promise<void> {
  const command = await readCommand(args, { to: { type: 'string' }, help: { type: 'boolean' } })
  const { values, positionals, storeKind } = command
  if (typeof values['to'] !== 'string') throw new UsageError('export requires --to DIR')
  const store = await command.openStore()
  try {
    const exports = new GitExports(store, values['to'])
    // In a Git store other programs can move refs, too.
    const readsAllRefs = storeKind === 'git'
    for await (const repository of positionals.length > 0 ? positionals : allRepositories(store)) {
      const { path, isRefreshed, objects, refs } = await exports.bring(repository, { readsAllRefs })
      say(
        isRefreshed
          ? `${repository}: ${objects} objects, ${refs} refs in ${path}`
          : `${repository}: up to date in ${path}`
      )
    }
  } finally {
    await store.close()
  }
}

async function* allRepositories(store: Store): AsyncIterable<string> {
  for (let after = ''; ; ) {
    const page = await store.listRepositories({ prefix: '', after, limit: pageRepositories })
    for (const { repository } of page) yield repository
    if (page.length < pageRepositories) return
    after = page.at(-1)?.repository ?? ''
  }
}
