/** The commands as completion sees them. */
import type { Command } from 'commander'

/** How a value is completed: as a file or a directory, as one of a few words, or not at all. */
export type ValueKind = 'file' | 'directory' | 'none' | readonly string[]

export interface CompletedFlag {
  /** With their dashes; the long one first. */
  readonly names: readonly string[]
  /** Undefined = the flag has no value. */
  readonly value: ValueKind | undefined
  readonly help: string
}

export interface CompletedCommand {
  /** The words after `blobwire`, such as `config check`; empty = before any command. */
  readonly words: string
  readonly help: string
  readonly flags: readonly CompletedFlag[]
  /** Each argument; the last one counts for those that follow. */
  readonly values: readonly ValueKind[]
}

function kindOf(placeholder: string, choices: readonly string[] | undefined): ValueKind {
  if (choices !== undefined) return choices
  if (/^(file)$/i.test(placeholder)) return 'file'
  return /^(dir|directory|source)$/i.test(placeholder) ? 'directory' : 'none'
}

function flagsOf(command: Command): CompletedFlag[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short, flags, argChoices, description }) => {
      const [, placeholder] = /<(.*)>/.exec(flags) ?? []
      return {
        names: [long, short].filter((name) => name !== undefined),
        value: placeholder === undefined ? undefined : kindOf(placeholder, argChoices),
        help: description
      }
    })
}

/** All commands that do something, and first the program itself, whose values are the commands. */
export function completedCommands(program: Command): CompletedCommand[] {
  return completed(program, '')
}

function completed(command: Command, words: string): CompletedCommand[] {
  const help = command.summary()
  const flags = flagsOf(command)
  if (command.commands.length === 0) {
    const values = command.registeredArguments.map((argument) => kindOf(argument.name(), argument.argChoices))
    return [{ words, help, flags, values }]
  }
  const names = command.commands.map((each) => each.name())
  const below = command.commands.flatMap((each) => completed(each, `${words} ${each.name()}`.trim()))
  return [{ words, help, flags, values: [names, 'none'] }, ...below]
}
