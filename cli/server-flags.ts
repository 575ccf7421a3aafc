/** Flags of the server as flags of a command, and back. */
import { type Command, Option } from 'commander'
import { type Flag, flags } from '../server-fixture/flags/table.ts'

/** Adds flags of the server; without names, all. */
export function addServerFlags(command: Command, names: readonly string[] = Object.keys(flags)): Command {
  const table: Readonly<Record<string, Flag>> = flags
  // Commander has a flag for help of its own.
  for (const name of names.filter((each) => each !== 'help')) command.addOption(optionOf(name, table[name] as Flag))
  return command
}

function optionOf(name: string, { value, help, choices }: Flag): Option {
  const option = new Option(`--${name}${value === undefined ? '' : ` <${value}>`}`, help)
  return choices === undefined ? option : option.choices(choices)
}

/** The flags that were given, as a command line. */
export function givenFlags(command: Command): string[] {
  return command.options.flatMap((option) => {
    const value: unknown = command.getOptionValue(option.attributeName())
    if (value === undefined || option.long === '--debug') return []
    return value === true ? [option.long as string] : [option.long as string, String(value)]
  })
}
