/** `npm run restore -- DIRECTORY --endpoint URL --repository NAME`: files of a repository into a local directory. */
import { BlobwireError, type CheckoutResult, createClient } from '../src/index.ts'
import {
  clientOptions,
  interrupted,
  interruption,
  onlyArgument,
  parseFlags,
  runProgram,
  say,
  serverCommand,
  serverFlags
} from './shared/command-line.ts'
import { megabytes, nowhere, progressDisplay, transferView } from './shared/progress-display.ts'

const usage = `usage: node examples/restore.ts DIRECTORY --endpoint URL --repository NAME [flags]
  DIRECTORY          local directory; created where it does not exist
  --endpoint URL     address of the server
  --repository NAME  where the files are
  --revision R       branch, tag, oid, or such as main~2 (default HEAD)
  --path PATH        a directory of the repository: only the files below it, without PATH before their names
  --remove           remove what the repository does not have, except .git
  --transport T      auto, json, msgpack or grpc (default auto)
  --token T          bearer token (default: the environment variable BLOBWIRE_TOKEN)
  --quiet            no progress

Writes only what differs; files that are not in the repository stay, unless --remove is given. Where a name cannot be
written here, nothing is.
Exits with 0 = done, 1 = failed, 2 = wrong usage, 3 = done, but submodules were left out, 130 = interrupted.`

const flags = {
  ...serverFlags,
  revision: { type: 'string', default: 'HEAD' },
  path: { type: 'string', default: '' },
  remove: { type: 'boolean', default: false }
} as const

function sayResult({ written, bytes, unchanged, removed, skipped, tree }: CheckoutResult): number {
  if (skipped.length > 0) say(`submodules, which are in other repositories, are left out (${skipped.length}):`)
  for (const { path, oid } of skipped) say(`  ${path}: ${oid}`)
  say(`tree ${tree}: ${written} files written (${megabytes(bytes)}), ${unchanged} unchanged, ${removed} removed`)
  return skipped.length > 0 ? 3 : 0
}

/** All names that cannot be written, where the message of the error has the first of them. */
function tellUnwritable(error: unknown): void {
  if (!(error instanceof BlobwireError && error.is('unwritable_paths'))) return
  const { violations = [] } = error.details
  say(`names that cannot be written here (${violations.length}); nothing was written:`)
  for (const { field, description } of violations) say(`  ${field}: ${description}`)
}

await runProgram(usage, async () => {
  const { values, positionals } = parseFlags(process.argv.slice(2), flags)
  if (values.help) {
    say(usage)
    return 0
  }
  const directory = onlyArgument(positionals, 'DIRECTORY')
  const command = serverCommand(values, process.env)
  const { revision, path, remove } = values
  const signal = interruption()
  const display = progressDisplay(command.quiet ? nowhere : process.stderr, transferView)
  const client = createClient(clientOptions(command))
  try {
    const repo = client.repository(command.repository)
    const result = await repo.checkout(directory, { revision, path, remove, onProgress: display.show }, { signal })
    display.end()
    return sayResult(result)
  } catch (error) {
    display.end()
    tellUnwritable(error)
    if (!signal.aborted) throw error
    say('interrupted; the same command writes the rest')
    return interrupted
  } finally {
    await client.close()
  }
})
