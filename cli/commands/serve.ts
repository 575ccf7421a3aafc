/** `blobwire serve`. */
import type { Command } from 'commander'
import type { Addresses } from '../../server-fixture/serve.ts'
import type { Cli, CommandContext } from '../context.ts'
import { UsageError } from '../errors.ts'
import { addServerFlags, givenFlags } from '../server-flags.ts'

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
  addServerFlags(serve)
  serve.action((_values: object, command: Command) => run((cli) => start(givenFlags(command), cli)))
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
    if (error instanceof UsageError) throw error
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
