/** The completion of fish. */
import type { CompletedCommand, CompletedFlag, ValueKind } from './commands.ts'

const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

const head = `# Completion of blobwire for fish.
function __blobwire_after
  set -l words (commandline -opc)
  set -e words[1]
  test "$words" = "$argv"
end

function __blobwire_in
  set -l words (commandline -opc)
  set -e words[1]
  set -l last (count $argv)
  test (count $words) -ge $last; and test "$words[1..$last]" = "$argv"
end

complete -c blobwire -f
`

/** Where the command line has these words; of a group of commands, where nothing follows yet. */
const condition = (words: string, isGroup: boolean) => `__blobwire_${isGroup ? 'after' : 'in'} ${words}`.trim()

function value(kind: ValueKind): string {
  if (kind === 'file') return '-F'
  if (kind === 'directory') return "-a '(__fish_complete_directories)'"
  return kind === 'none' ? '' : `-a ${quoted(kind.join(' '))}`
}

function flag(when: string, { names, value: kind, help }: CompletedFlag): string {
  const forms = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
  const takes = kind === undefined ? '' : kind === 'file' ? '-r -F' : `-x ${value(kind)}`
  return `${when} ${forms.join(' ')} ${takes} -d ${quoted(help)}`
}

function lines({ words, flags, values }: CompletedCommand, commands: readonly CompletedCommand[]): string[] {
  const isGroup = words === '' || commands.some((each) => each.words.startsWith(`${words} `))
  const when = `complete -c blobwire -n ${quoted(condition(words, isGroup))}`
  const below = new Map(commands.map((each) => [each.words, each.help]))
  const kinds = [...new Set(values.map(value))].filter((text) => text !== '')
  const words2 = values.find((kind) => typeof kind !== 'string') ?? []
  const described =
    words === ''
      ? (words2 as readonly string[]).map((name) => `${when} -a ${name} -d ${quoted(below.get(name) ?? '')}`)
      : []
  return [
    ...(described.length > 0 ? described : kinds.map((text) => `${when} ${text}`)),
    ...flags.map((each) => flag(when, each))
  ]
}

export function fishScript(commands: readonly CompletedCommand[]): string {
  const all = commands.flatMap((command) => lines(command, commands))
  return `${head}${all.map((line) => line.replaceAll(/ +/g, ' ')).join('\n')}\n`
}
