/** `blobwire export`: the files of a tree as an archive. */
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { Option } from 'commander'
import type { ArchiveInput } from '../../src/index.ts'
import { type ClientFlags, clientCommand } from '../connection/flags.ts'
import { withClient } from '../connection/open-client.ts'
import type { Cli, CommandContext } from '../context.ts'
import { CommandError, UsageError } from '../errors.ts'

interface ExportFlags extends ClientFlags {
  readonly output?: string
  readonly format?: ArchiveInput['format']
  readonly revision: string
  readonly path: string
  readonly prefix: string
  readonly glob?: readonly string[]
}

const formats = ['tar', 'tar.gz', 'zip'] as const
const collect = (glob: string, others: readonly string[] = []) => [...others, glob]

export function addExport({ program, run }: CommandContext): void {
  clientCommand(program, 'export', 'write the files of a repository as an archive')
    .argument('<repository>', 'where the files are')
    .option('-o, --output <file>', 'the archive, whole or not at all (default: standard output)')
    .addOption(new Option('-f, --format <format>', 'default: as the name of the file ends, or tar').choices(formats))
    .option('-r, --revision <revision>', 'branch, tag, oid, or such as main~2', 'HEAD')
    .option('--path <path>', 'a directory of the repository: only the files below it, named from there', '')
    .option('--prefix <text>', 'begins the name of each member, such as project-1.0/', '')
    .option('--glob <glob>', 'only files that match, such as "**/*.md"; may be repeated', collect)
    .addHelpText('after', '\nA repository with its history is had by git clone of ENDPOINT/REPOSITORY.git.')
    .action((repository: string, flags: ExportFlags) =>
      run((cli) => {
        const { output, revision, path, prefix, glob } = flags
        if (output === undefined && cli.out.isTerminal)
          throw new UsageError('--output is required where standard output is a terminal')
        const format = flags.format ?? formatOf(output)
        return withClient(cli, flags, async (client) => {
          const input = { format, revision, path, prefix, glob }
          const archive = client.repository(repository).archive(input, { signal: cli.signal })
          if (output === undefined) for await (const chunk of archive) await cli.out.write(chunk)
          else await writeFile(archive, output, cli)
          return undefined
        })
      })
    )
}

/** As the name of the file ends. */
function formatOf(output = ''): (typeof formats)[number] {
  if (output.endsWith('.tgz')) return 'tar.gz'
  return formats.find((ending) => output.endsWith(`.${ending}`)) ?? 'tar'
}

/** Beside the target first: an archive that is cut off is none. */
async function writeFile(archive: AsyncIterable<Uint8Array>, output: string, { signal }: Cli): Promise<void> {
  const beside = `${output}.${process.pid}.part`
  try {
    await pipeline(archive, createWriteStream(beside, { flags: 'wx' }), { signal })
    await rename(beside, output)
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined)
    const { code, syscall } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' || syscall !== 'open') throw error
    throw new CommandError(`cannot write ${output}: its directory does not exist`, { cause: error })
  }
}
