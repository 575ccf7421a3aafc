/** `blobwire ls`: repositories, or the files of one. */
import type { Client, RepositoryInfo, TreeEntry } from '../../src/index.ts'
import { type ClientFlags, clientCommand } from '../connection/flags.ts'
import { withClient } from '../connection/open-client.ts'
import type { Cli, CommandContext } from '../context.ts'
import { UsageError } from '../errors.ts'

interface LsFlags extends ClientFlags {
  readonly revision?: string
  readonly recursive?: boolean
  readonly long?: boolean
  readonly null?: boolean
}

/** What is listed of a repository. */
interface Listed {
  readonly repository: string
  readonly path: string
}

export function addLs({ program, run }: CommandContext): void {
  clientCommand(program, 'ls', 'list repositories, or the files of one')
    .argument('[repository]', 'list its files (without it, all repositories)')
    .argument('[path]', 'a directory of the repository', '')
    .option('-r, --revision <revision>', 'branch, tag, oid, or such as main~2 (default: HEAD)')
    .option('-R, --recursive', 'also all that is below')
    .option('-l, --long', 'with mode and oid; of repositories, with object format and default branch')
    .option('-z, --null', 'end each line with NUL instead of a line feed, for xargs -0')
    .action((repository: string | undefined, path: string, flags: LsFlags) =>
      run((cli) =>
        withClient(cli, flags, async (client) => {
          const { revision, recursive } = flags
          if (repository === undefined && (revision !== undefined || recursive))
            throw new UsageError('--revision and --recursive require a repository')
          await (repository === undefined
            ? listRepositories(client, cli, flags)
            : listFiles(client, { repository, path }, { cli, flags }))
          return undefined
        })
      )
    )
}

async function listRepositories(client: Client, { out, signal }: Cli, flags: LsFlags): Promise<void> {
  const columns = ({ objectFormat, defaultBranch }: RepositoryInfo) =>
    flags.long ? `${objectFormat.padEnd(6)} ${out.name(defaultBranch || '(detached)')} ` : ''
  for await (const info of client.repositories({ pageSize: 1000 }, { signal })) {
    if (flags.json) await out.json(info)
    else await out.write(`${columns(info)}${out.name(info.repository)}${flags.null ? '\0' : '\n'}`)
  }
}

async function listFiles(client: Client, { repository, path }: Listed, { cli, flags }: { cli: Cli; flags: LsFlags }) {
  const { out, signal } = cli
  const { revision, recursive } = flags
  const columns = ({ mode, oid }: TreeEntry) => (flags.long ? `${mode} ${out.paint('yellow', oid)} ` : '')
  const entries = client.repository(repository).getTree({ revision, path, recursive }, { signal })
  for (const entry of (await entries).entries) {
    if (flags.json) await out.json(entry)
    // A slash tells people a directory; programs get the path.
    else await out.item(columns(entry), entry, flags.null ? '\0' : entry.mode === '040000' ? '/\n' : '\n')
  }
}
