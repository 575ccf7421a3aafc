/** `blobwire import`: a local directory as a commit on a branch. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { authorOf } from '../author.ts'
import { type ClientFlags, clientCommand, repositoryOf } from '../connection/flags.ts'
import { withClient } from '../connection/open-client.ts'
import { addressesOf } from '../connection/server-request.ts'
import type { Cli, CommandContext } from '../context.ts'
import { exitCodes, UsageError } from '../errors.ts'
import type { ImportResult } from '../import/import-directory.ts'
import type { LocalTree } from '../import/local-tree.ts'
import { megabytes } from '../output/progress-display.ts'
import { transferDisplay } from '../output/transfer-display.ts'

interface ImportFlags extends ClientFlags {
  readonly repository?: string
  readonly branch: string
  readonly exclude: readonly string[]
  readonly message?: string
  readonly author?: string
  readonly resumeFile?: string
  readonly quiet?: boolean
}

const notes = `
Makes the branch equal to the directory, and sends only what differs. A run that was interrupted, or killed, goes on where
it was when it is started again. Keeps files, links and the permission to execute, as Git does; no empty directories,
owners and times. A Git repository with its history goes by "blobwire mirror", or by git push.
Exits with 3 where entries were left out that no repository can have; --exclude them to say that this is meant.`

export function addImport({ program, run }: CommandContext): void {
  clientCommand(program, 'import', 'commit a local directory')
    .argument('<directory>', 'local directory, of any size')
    .argument('[repository]', 'where it goes; created where it does not exist')
    .option('--repository <name>', 'the same')
    .option('-b, --branch <branch>', 'branch of the commit', 'main')
    .option(
      '--exclude <glob>',
      'leave out what matches; may be repeated ("*.log" at any depth, "build/*")',
      collect,
      []
    )
    .option('-m, --message <text>', 'message of the commit (default: Import of DIRECTORY)')
    .option('--author <author>', 'such as "Ada <ada@example.org>" (default: as Git knows it, or you at this computer)')
    .option('--resume-file <file>', 'tokens of uploads under way (default: a file in ~/.local/state/blobwire)')
    .option('-q, --quiet', 'show no progress')
    .addHelpText('after', notes)
    .action((directory: string, given: string | undefined, flags: ImportFlags) =>
      run((cli) => importInto(directory, repositoryOf(given, flags), { cli, flags }))
    )
}

const collect = (glob: string, others: readonly string[]) => [...others, glob]

interface Called {
  readonly cli: Cli
  readonly flags: ImportFlags
}

async function importInto(directory: string, repository: string, { cli, flags }: Called): Promise<number> {
  const { io, signal } = cli
  const { branch, exclude, message = `Import of ${directory}` } = flags
  if (directory === '') throw new UsageError('<directory> must not be empty')
  if (exclude.includes('')) throw new UsageError('--exclude must be a glob such as "*.log"')
  const author = authorOf(flags.author, io.env)
  const hasHistory = existsSync(join(directory, '.git'))
  const { importDirectory } = await import('../import/import-directory.ts')
  const { defaultResumeFile, ResumeFile } = await import('../import/resume-file.ts')
  return withClient(cli, flags, async (client, options) => {
    const target = { endpoint: addressesOf(options).join(','), repository, branch, directory }
    const tokens = new ResumeFile(flags.resumeFile ?? defaultResumeFile(target, io.env), repository)
    const display = await transferDisplay(cli, flags)
    try {
      const { limits } = await client.getCapabilities({ signal })
      let tree: LocalTree | undefined
      const result = await importDirectory({
        directory,
        repo: client.repository(repository),
        branch,
        // Of a work tree, whose history is no part of its files.
        exclude: hasHistory ? [...exclude, '/.git'] : exclude,
        message: `${message}\n`,
        author,
        limits,
        tokens,
        signal,
        onTree: (found) => {
          tree = found
        },
        onProgress: display.show
      })
      display.end()
      const { leftOut = [], emptyDirectories = 0 } = tree ?? {}
      if (flags.json) await cli.out.json({ ...result, branch, leftOut, emptyDirectories })
      else {
        await tellLeftOut({ leftOut, emptyDirectories }, cli)
        await tell(result, branch, cli)
        if (hasHistory && !flags.quiet)
          await cli.err.line(
            'the history in .git is not imported; blobwire mirror copies a repository with its history'
          )
      }
      return leftOut.length > 0 ? exitCodes.partial : exitCodes.done
    } catch (error) {
      display.end()
      if (io.signal.aborted && !flags.json) await cli.err.line('interrupted; the same command goes on')
      throw error
    }
  })
}

async function tellLeftOut(tree: Pick<LocalTree, 'leftOut' | 'emptyDirectories'>, { out }: Cli): Promise<void> {
  const { leftOut, emptyDirectories } = tree
  if (leftOut.length > 0) await out.line(`entries that no repository can have, and are left out (${leftOut.length}):`)
  for (const line of leftOut) await out.line(`  ${out.name(line)}`)
  if (emptyDirectories > 0) await out.line(`empty directories are not kept (${emptyDirectories})`)
}

async function tell(result: ImportResult, branch: string, { out }: Cli): Promise<void> {
  const { commit, files, bytes, changed, removed } = result
  const all = `${files} files (${megabytes(bytes)})`
  if (commit === undefined) await out.line(`${out.name(branch)} is equal to the directory: ${all}`)
  else await out.line(`${out.name(branch)} is at ${commit}: ${all}, ${changed} new or changed, ${removed} removed`)
}
