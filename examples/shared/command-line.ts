/** The flags and exit codes that the examples share. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { BlobwireError, type ClientOptions } from '../../src/index.ts'

/** A flag that cannot be used; the message names it and says why. */
export class UsageError extends Error {}

/** A run that failed for a reason that its message tells. */
export class CommandError extends Error {}

const transports = ['auto', 'json', 'msgpack', 'grpc'] as const

/** Flags of all programs that talk to a server. */
export const serverFlags = {
  endpoint: { type: 'string' },
  repository: { type: 'string' },
  transport: { type: 'string', default: 'auto' },
  token: { type: 'string' },
  quiet: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false }
} as const

/** Their values. */
export interface ServerCommand {
  readonly endpoint: string
  readonly repository: string
  readonly transport: (typeof transports)[number]
  readonly token: string | undefined
  readonly quiet: boolean
}

/** @throws UsageError */
export function parseFlags<const Flags extends NonNullable<ParseArgsConfig['options']>>(args: string[], flags: Flags) {
  try {
    return parseArgs({ args, options: flags, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

interface ServerValues {
  readonly endpoint?: string | undefined
  readonly repository?: string | undefined
  readonly transport: string
  readonly token?: string | undefined
  readonly quiet: boolean
}

/** @throws UsageError */
export function serverCommand(values: ServerValues, environment: NodeJS.ProcessEnv): ServerCommand {
  const { endpoint, repository, quiet, token = environment['BLOBWIRE_TOKEN'] } = values
  if (endpoint === undefined) throw new UsageError('--endpoint is required')
  if (repository === undefined) throw new UsageError('--repository is required')
  const transport = transports.find((name) => name === values.transport)
  if (transport === undefined) throw new UsageError(`--transport must be one of ${transports.join(', ')}`)
  return { endpoint, repository, transport, token, quiet }
}

/** The one argument that is no flag. @throws UsageError */
export function onlyArgument(positionals: readonly string[], name: string): string {
  const [argument, ...more] = positionals
  if (argument === undefined || argument === '' || more.length > 0) throw new UsageError(`one ${name} is required`)
  return argument
}

/** Options of the client for a command. */
export function clientOptions({ endpoint, transport, token }: ServerCommand): ClientOptions {
  return { endpoint, transport, ...(token !== undefined && { token }), timeoutMs: 300_000 }
}

/** Writes a line of a result. */
export const say = (line: string) => process.stdout.write(`${line}\n`)

/** Runs a program and sets its exit code: 1 where it fails, 2 for wrong usage. The run itself tells the others. */
export async function runProgram(usage: string, run: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await run()
  } catch (error) {
    const isUsage = error instanceof UsageError
    const isKnown = error instanceof BlobwireError || error instanceof CommandError
    const { message, stack } = error as Error
    process.stderr.write(isUsage ? `${message}\n\n${usage}\n` : `${isKnown ? message : stack}\n`)
    process.exitCode = isUsage ? 2 : 1
  }
}

/** The exit code of shells for a program that Ctrl-C ended. */
export const interrupted = 130

/** Is aborted by Ctrl-C or SIGTERM, the first time: the second one ends the process as usual. */
export function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort())
  return controller.signal
}
