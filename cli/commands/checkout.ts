/** `blobwire checkout`: files of a repository into a local directory. */
import type { CheckoutResult } from '../../src/index.ts'
import { type ClientFlags, clientCommand } from '../connection/flags.ts'
import { withClient } from '../connection/open-client.ts'
import type { Cli, CommandContext } from '../context.ts'
import { exitCodes, isBlobwireError, UsageError } from '../errors.ts'
import { megabytes } from '../output/progress-display.ts'
import { transferDisplay } from '../output/transfer-display.ts'

interface CheckoutFlags extends ClientFlags {
  readonly repository?: string
  readonly revision: string
  readonly path: string
  readonly remove?: boolean
  readonly quiet?: boolean
}

const notes = `
Writes only what differs; files that are not in the repository stay, unless --remove is given. Where a name cannot be
written here, nothing is. Exits with 3 where submodules were left out.`

export function addCheckout({ program, run }: CommandContext): void {
  clientCommand(program, 'checkout', 'write the files of a repository into a local directory')
    .argument('<repository>', 'where the files are')
    .argument('[directory]', 'local directory; created where it does not exist')
    .option('--repository <name>', 'in place of the first argument')
    .option('-r, --revision <revision>', 'branch, tag, oid, or such as main~2', 'HEAD')
    .option('--path <path>', 'a directory of the repository: only the files below it, named from there', '')
    .option('--remove', 'remove what the repository does not have, except .git')
    .option('-q, --quiet', 'show no progress')
    .addHelpText('after', notes)
    .action((first: string, second: string | undefined, flags: CheckoutFlags) =>
      run((cli) => {
        const [repository, directory, other] = flags.repository ? [flags.repository, first, second] : [first, second]
        if (!directory || other !== undefined) throw new UsageError('one repository and one directory are required')
        return checkout(repository, directory, { cli, flags })
      })
    )
}

async function checkout(
  repository: string,
  directory: string,
  { cli, flags }: { cli: Cli; flags: CheckoutFlags }
): Promise<number> {
  const { io, signal, err } = cli
  const { revision, path, remove } = flags
  const display = await transferDisplay(cli, flags)
  try {
    const result = await withClient(cli, flags, (client) => {
      const input = { revision, path, remove, onProgress: display.show }
      return client.repository(repository).checkout(directory, input, { signal })
    })
    display.end()
    if (flags.json) await cli.out.json({ ...result, directory })
    else await tell(result, cli)
    return result.skipped.length > 0 ? exitCodes.partial : exitCodes.done
  } catch (error) {
    display.end()
    if (!flags.json) await tellUnwritable(error, cli)
    if (io.signal.aborted && !flags.json) await err.line('interrupted; the same command writes the rest')
    throw error
  }
}

async function tell(
  { written, bytes, unchanged, removed, skipped, tree }: CheckoutResult,
  { out }: Cli
): Promise<void> {
  if (skipped.length > 0)
    await out.line(`submodules, which are in other repositories, are left out (${skipped.length}):`)
  for (const { path, oid } of skipped) await out.line(`  ${out.name(path)}: ${oid}`)
  const counts = `${written} files written (${megabytes(bytes)}), ${unchanged} unchanged, ${removed} removed`
  await out.line(`tree ${tree}: ${counts}`)
}

/** All names that cannot be written, where the message of the error has the first of them. */
async function tellUnwritable(error: unknown, { out }: Cli): Promise<void> {
  if (!(isBlobwireError(error) && error.is('unwritable_paths'))) return
  const { violations = [] } = error.details
  await out.line(`names that cannot be written here (${violations.length}); nothing was written:`)
  for (const { field, description } of violations) await out.line(`  ${out.name(`${field}: ${description}`)}`)
}
