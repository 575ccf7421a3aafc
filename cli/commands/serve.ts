/** `blobwire serve`. */
import { type Command, Option } from 'commander'
import { type Flag, flags } from '../../server-fixture/flags/table.ts'
import type { Addresses } from '../../server-fixture/serve.ts'
import type { Cli, CommandContext } from '../context.ts'

const notes = `
Prints one line of JSON with its addresses when it is ready, and logs to standard error. Ctrl-C or SIGTERM ends it when
all calls are answered. Exit codes: 1 = it did not start, 3 = another start would fail, too.`

export function addServe({ program, run }: CommandContext): void {
  const serve = program
    .command('serve')
    .summary('start a server')
    .description('Starts a server: JSON, MessagePack and gRPC on loopback, in memory unless told otherwise.')
    .helpOption('-h, --help', 'show this')
    .addHelpText('after', notes)
  for (const [name, flag] of Object.entries<Flag>(flags)) if (name !== 'help') serve.addOption(optionOf(name, flag))
  serve.action((_values: object, command: Command) => run((cli) => start(givenFlags(command), cli)))
}

function optionOf(name: string, { value, help, choices }: Flag): Option {
  const option = new Option(`--${name}${value === undefined ? '' : ` <${value}>`}`, help)
  return choices === undefined ? option : option.choices(choices)
}

/** The flags that were given, as the server reads them, and hands them to its workers. */
function givenFlags(command: Command): string[] {
  return command.options.flatMap((option) => {
    const value: unknown = command.getOptionValue(option.attributeName())
    if (value === undefined) return []
    return value === true ? [option.long as string] : [option.long as string, String(value)]
  })
}

async function start(args: readonly string[], { io, err }: Cli): Promise<number> {
  const { failedStart } = await import('../../server-fixture/failed-start.ts')
  try {
    const { readOptions } = await import('../../server-fixture/options.ts')
    const { serve } = await import('../../server-fixture/serve.ts')
    const options = await readOptions(args, io.env)
    if (options === undefined) return 0
    const addresses = await serve(options, args)
    if (err.isTerminal) await err.line(greeting(addresses, String(options.store ?? 'memory')))
  } catch (error) {
    return failedStart(error, 'blobwire serve')
  }
  // A signal ends the process.
  return new Promise(() => undefined)
}

function greeting({ http, grpc, admin }: Addresses, store: string): string {
  const kept = store === 'memory' ? 'in memory: nothing is kept' : `in the ${store} store`
  const dashboard = admin === undefined ? '' : `\n  dashboard  ${admin}/dashboard`
  return `blobwire serves ${kept}\n  HTTP       ${http}\n  gRPC       ${grpc}${dashboard}\nCtrl-C ends it.`
}
