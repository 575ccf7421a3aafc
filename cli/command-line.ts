/** The command line: finds the command, runs it, and tells how it ended. */
import { type Command, CommanderError } from 'commander'
import type { Run } from './context.ts'
import { CommandError, exitCodeOf, exitCodes, tokenHint, UsageError } from './errors.ts'
import type { Io, OutputStream } from './io.ts'
import { Output } from './output/output.ts'
import { reportError } from './output/report-error.ts'
import { createProgram } from './program.ts'

/** The reader of the output has gone, such as `head`, which is no error. */
const nobodyReads = Symbol('nobody reads')

const signalCodes: Readonly<Record<string, number>> = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated }

/** Runs a command. Returns its exit code; docs/cli.md has them. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const failed = failureOf(io.stdout)
  const signal = AbortSignal.any([io.signal, failed])
  const out = new Output(io.stdout, { env: io.env, signal })
  // Says why the command ended, also after a signal, and where standard output has failed.
  const err = new Output(io.stderr, { env: io.env, signal: failureOf(io.stderr) })
  const words = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
  let exitCode: number = exitCodes.done
  const run: Run = async (work) => {
    exitCode = (await work({ io, out, err, signal })) ?? exitCodes.done
  }
  const program = createProgram({ io, run })
  try {
    await program.parseAsync(helpOfKnown(program, argv), { from: 'user' })
    await written(io.stdout, failed)
    return exitCode
  } catch (error) {
    if (failed.reason === nobodyReads) return exitCodes.done
    if (io.signal.aborted) return signalCodes[io.signal.reason] ?? exitCodes.interrupted
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done
    const known = error instanceof CommanderError ? usageErrorOf(error, argv) : error
    const options = {
      json: words.includes('--json'),
      debug: words.includes('--debug'),
      command: nameOf(program, words)
    }
    if (known === undefined) return exitCodes.usage
    // Nobody may read standard error either.
    return await reportError(known, err, options).catch(() => exitCodeOf(known))
  }
}

/** `help nothing` is the unknown command `nothing`, of which commander would show the help of everything. */
function helpOfKnown(program: Command, argv: readonly string[]): readonly string[] {
  const [first, name] = argv
  const isUnknown = name !== undefined && !program.commands.some((command) => command.name() === name)
  return first === 'help' && isUnknown ? [name] : argv
}

/** Aborts when the stream fails. The stream stays watched: it may fail when the command has ended. */
function failureOf(stream: OutputStream): AbortSignal {
  const failure = new AbortController()
  stream.on('error', (error: NodeJS.ErrnoException) => {
    const { code, message } = error
    failure.abort(code === 'EPIPE' ? nobodyReads : new CommandError(`the output cannot be written: ${message}`))
  })
  return failure.signal
}

/** Resolves when all that was written has left. @throws the reason why it cannot */
async function written(stream: OutputStream, failed: AbortSignal): Promise<void> {
  await new Promise((resolve) => {
    if (stream.writableLength === 0) setImmediate(resolve)
    else stream.write('', resolve)
  })
  failed.throwIfAborted()
}

/** Undefined = the help was shown in place of the command that is missing. */
function usageErrorOf({ code, message }: CommanderError, [first]: readonly string[]): UsageError | undefined {
  if (code === 'commander.help') return undefined
  if (message.includes("'--token'")) return new UsageError(`a token is no argument: ${tokenHint}`)
  const words = message.replace(/^error: /, '')
  const isEarly = code === 'commander.unknownOption' && first?.startsWith('-')
  return new UsageError(isEarly ? `${words}; flags follow the command` : words)
}

/** The command that was called, such as `blobwire config check`. */
function nameOf(command: Command, words: readonly string[]): string {
  const called = command.commands.find((each) => each.name() === words[0])
  return called === undefined ? command.name() : `${command.name()} ${nameOf(called, words.slice(1))}`
}
