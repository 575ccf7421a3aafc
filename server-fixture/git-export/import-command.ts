/** `npm run import`: a repository of Git into a store. */
import { defaultLimits } from '../../src/schema/default-limits.ts'
import { UsageError } from '../usage-error.ts'
import { readCommand, storeUsage } from './command-line.ts'
import { importRepository } from './git-import.ts'

/** As `import --help` shows it. */
export const importUsage = `usage: npm run import -- DIRECTORY REPOSITORY --store S [flags]
  DIRECTORY          a repository of Git, bare or with a work tree
  REPOSITORY         its name in the store; created where there is none
  --force            move branches that would lose commits, and tags, too
  --prune            delete refs that DIRECTORY does not have
${storeUsage}

Run again, it goes on where it was interrupted, and brings what is new. Refs that are left as they are make it fail.`

/** Prints with `say`. @throws UsageError */
export async function runImport(args: readonly string[], say: (line: string) => void): Promise<void> {
  const boolean = { type: 'boolean' } as const
  const command = await readCommand(args, { force: boolean, prune: boolean, help: boolean })
  const [directory, repository, ...others] = command.positionals
  if (directory === undefined || repository === undefined || others.length > 0)
    throw new UsageError('import requires DIRECTORY and REPOSITORY')
  const { force, prune } = command.values
  const store = await command.openStore()
  try {
    store.boundUploads({
      ...defaultLimits,
      maxBlobBytes: Number.MAX_SAFE_INTEGER,
      maxUploadBytes: Number.MAX_SAFE_INTEGER
    })
    const options = { force: force === true, prune: prune === true }
    const { objects, refs, left } = await importRepository(directory, { store, repository }, options)
    say(`${repository}: ${objects} objects, ${refs} refs`)
    if (left.length > 0) throw new Error(left.map(({ name, why }) => `\n${name} stays: ${why}`).join(''))
  } finally {
    await store.close()
  }
}
