/** The flags of commands that talk to a server. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { UsageError } from '../errors.ts'

/** Their values. */
export interface ClientFlags {
  readonly endpoint?: string
  readonly config?: string
  readonly client?: string
  readonly transport?: 'auto' | 'json' | 'msgpack' | 'grpc'
  readonly timeout?: string
  readonly json?: boolean
}

/** A command with them, and with those that every command has. */
export function clientCommand(program: Command, name: string, summary: string): Command {
  return command(program, name, summary)
    .optionsGroup('Connection:')
    .option('--endpoint <url>', 'address of the server (default: BLOBWIRE_ENDPOINT, or http://127.0.0.1:4100)')
    .option('--config <file>', 'configuration, YAML or JSON (default: BLOBWIRE_CONFIG)')
    .option('--client <name>', 'the client of the configuration that is meant')
    .addOption(
      new Option('--transport <name>', 'wire format (default: auto)').choices(['auto', 'json', 'msgpack', 'grpc'])
    )
    .option('--timeout <duration>', 'time for one call, such as 30s')
    .optionsGroup('Options:')
}

/** A command with the flags that every one has. */
export function command(program: Command, name: string, summary: string): Command {
  return program
    .command(name)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .helpOption('-h, --help', 'show this')
    .optionsGroup('Output:')
    .option('--json', 'write JSON: a line for each item, errors too')
    .option('--debug', 'show the stack and all details of an error')
    .optionsGroup('Options:')
}

/** The repository of an argument, or of the flag. @throws UsageError */
export function repositoryOf(given: string | undefined, flags: { readonly repository?: string }): string {
  const name = flags.repository ?? given
  if (name === undefined) throw new UsageError('a repository is required')
  if (flags.repository !== undefined && given !== undefined) throw new UsageError('one repository is required')
  return name
}

/** A count that is at least 1, for commander. */
export function countOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1 on.')
}
