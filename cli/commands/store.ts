/** `blobwire store export` and `blobwire store import`: repositories of Git out of a store, and into it. */
import type { Command } from 'commander'
import type { Cli, CommandContext } from '../context.ts'
import { addServerFlags, givenFlags } from '../server-flags.ts'

/** The flags that say which store is meant. */
const storeFlags = ['store', 'data', 'database', 'database-password-file']

const notes = `
Works on the store itself, beside servers of the same database; of a Git store, stop the server first. Run again, it brings
what is new. docs/export.md tells more.`

export function addStore({ program, run }: CommandContext): void {
  const store = program
    .command('store')
    .summary('bring repositories of Git out of a store, and into it')
    .description('Brings repositories of Git out of the store of a server, and into it, without a server.')
    .helpCommand(false)
  below(store, 'export', 'make bare repositories of Git of repositories of a store, or bring them up to date')
    .argument('[repositories...]', 'repositories of the store (default: all)')
    .requiredOption('--to <dir>', 'directory of the exports: the repository a/b becomes DIR/a/b.git')
    .action((repositories: string[], _values: object, command: Command) =>
      run(async (cli) => {
        const { runExport } = await import('../../server-fixture/git-export/export-command.ts')
        await runExport([...givenFlags(command), '--', ...repositories], sayWith(cli))
        return undefined
      })
    )
  below(store, 'import', 'bring a repository of Git into a store')
    .argument('<directory>', 'a repository of Git, bare or with a work tree')
    .argument('<repository>', 'its name in the store; created where there is none')
    .option('--force', 'move branches that would lose commits, and tags, too')
    .option('--prune', 'delete refs that the directory does not have')
    .action((directory: string, repository: string, _values: object, command: Command) =>
      run(async (cli) => {
        const { runImport } = await import('../../server-fixture/git-export/import-command.ts')
        await runImport([...givenFlags(command), '--', directory, repository], sayWith(cli))
        return undefined
      })
    )
}

function below(store: Command, name: string, summary: string): Command {
  const command = store
    .command(name)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .helpOption('-h, --help', 'show this')
    .option('--debug', 'show the stack of an error')
    .addHelpText('after', notes)
  return addServerFlags(command, storeFlags)
}

const sayWith =
  ({ io, out }: Cli) =>
  (line: string) =>
    void io.stdout.write(`${out.name(line)}\n`)
