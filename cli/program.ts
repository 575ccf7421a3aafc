/** All commands, in the order of the help. */
import { Command, Help } from 'commander'
import { packageVersion } from '../server-fixture/server-facts.ts'
import { addCheckout } from './commands/checkout.ts'
import { addCompletion } from './commands/completion.ts'
import { addConfig } from './commands/config.ts'
import { addDiff } from './commands/diff.ts'
import { addExport } from './commands/export.ts'
import { addGet } from './commands/get.ts'
import { addHealth } from './commands/health.ts'
import { addImport } from './commands/import.ts'
import { addLog } from './commands/log.ts'
import { addLs } from './commands/ls.ts'
import { addMirror } from './commands/mirror.ts'
import { addPut } from './commands/put.ts'
import { addRefs } from './commands/refs.ts'
import { addServe } from './commands/serve.ts'
import { addStats } from './commands/stats.ts'
import { addStore } from './commands/store.ts'
import { addWatch } from './commands/watch.ts'
import type { CommandContext } from './context.ts'

const groups: Readonly<Record<string, readonly ((context: CommandContext) => void)[]>> = {
  'Server:': [addServe, addHealth, addStats, addStore],
  'Whole trees and histories:': [addImport, addCheckout, addExport, addMirror],
  'Files and history:': [addPut, addGet, addLs, addLog, addDiff, addRefs, addWatch],
  'This command:': [addConfig, addCompletion]
}

const epilogue = `
The endpoint is that of --endpoint, of BLOBWIRE_ENDPOINT or of the configuration; otherwise http://127.0.0.1:4100.
The token is that of BLOBWIRE_TOKEN, of the file that BLOBWIRE_TOKEN_FILE names, or of the configuration.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done in part, 4 not found, 5 refused, 6 conflict, 7 unavailable.`

/** The options of a command itself come before those that all commands have. */
const ownFirst: Help['groupItems'] = (items, visible, groupOf) => {
  const groups = Help.prototype.groupItems(items, visible, groupOf)
  return new Map([...groups].toSorted(([one], [other]) => Number(other === 'Options:') - Number(one === 'Options:')))
}

export function createProgram({ io, run }: Omit<CommandContext, 'program'>): Command {
  const program = new Command('blobwire')
    .description('Stores and reads versioned content (Git blobs, trees, commits, refs) on a server.')
    .version(packageVersion(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this')
    .addHelpText('after', epilogue)
    .exitOverride()
    .configureHelp({ groupItems: ownFirst })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      // Told by `main`, in one form with all other errors.
      outputError: () => undefined
    })
  for (const [heading, commands] of Object.entries(groups)) {
    program.commandsGroup(heading)
    for (const add of commands) add({ program, io, run })
  }
  return program.helpCommand('help [command]', 'show the help of a command')
}
