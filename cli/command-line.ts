/** The command line: finds the command, runs it, and tells how it ended. */
import { type Command, CommanderError } from 'commander'
import type { Run } from './context.ts'
import { exitCodes, tokenHint, UsageError } from './errors.ts'
import type { Io } from './io.ts'
import { Output } from './output/output.ts'
import { reportError } from './output/report-error.ts'
import { createProgram } from './program.ts'

/** The reader of the output has gone, such as `head`, which is no error. */
const nobodyReads = Symbol('nobody reads')

const signalCodes: Readonly<Record<string, number>> = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated }

/** Runs a command. Returns its exit code; docs/cli.md has them. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const gone = new AbortController()
  const onError = (error: NodeJS.ErrnoException) => gone.abort(error.code === 'EPIPE' ? nobodyReads : error)
  for (const stream of [io.stdout, io.stderr]) stream.on('error', onError)
  const signal = AbortSignal.any([io.signal, gone.signal])
  const out = new Output(io.stdout, { env: io.env, signal })
  // Says why the command ended, also after a signal.
  const err = new Output(io.stderr, { env: io.env, signal: gone.signal })
  const words = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
  let exitCode: number = exitCodes.done
  const run: Run = async (work) => {
    exitCode = (await work({ io, out, err, signal })) ?? exitCodes.done
  }
  const program = createProgram({ io, run })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (gone.signal.reason === nobodyReads) return exitCodes.done
    if (io.signal.aborted) return signalCodes[io.signal.reason] ?? exitCodes.interrupted
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done
    const known = error instanceof CommanderError ? usageErrorOf(error) : error
    const options = {
      json: words.includes('--json'),
      debug: words.includes('--debug'),
      command: nameOf(program, words)
    }
    return known === undefined ? exitCodes.usage : await reportError(known, err, options)
  } finally {
    for (const stream of [io.stdout, io.stderr]) stream.off('error', onError)
  }
}

/** Undefined = the help was shown in place of the command that is missing. */
function usageErrorOf({ code, message }: CommanderError): UsageError | undefined {
  if (code === 'commander.help') return undefined
  if (message.includes("'--token'")) return new UsageError(`a token is no argument: ${tokenHint}`)
  return new UsageError(message.replace(/^error: /, ''))
}

/** The command that was called, such as `blobwire config check`. */
function nameOf(command: Command, words: readonly string[]): string {
  const called = command.commands.find((each) => each.name() === words[0])
  return called === undefined ? command.name() : `${command.name()} ${nameOf(called, words.slice(1))}`
}
