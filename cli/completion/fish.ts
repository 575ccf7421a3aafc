/** The completion of fish. */
import type { CompletedCommand, CompletedFlag, ValueKind } from './commands.ts'

const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

/** Where the command line has these words. */
function condition(words: string): string {
  const [first = '', second] = words.split(' ')
  if (first === '') return '__fish_use_subcommand'
  const seen = `__fish_seen_subcommand_from ${first}`
  return second === undefined ? seen : `${seen}; and __fish_seen_subcommand_from ${second}`
}

function value(kind: ValueKind): string {
  if (kind === 'file') return '-F'
  if (kind === 'directory') return "-a '(__fish_complete_directories)'"
  return kind === 'none' ? '' : `-a ${quoted(kind.join(' '))}`
}

function flag(words: string, { names, value: kind, help }: CompletedFlag): string {
  const forms = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
  const takes = kind === undefined ? '' : kind === 'file' ? '-r -F' : `-x ${value(kind)}`
  return `complete -c blobwire -n ${quoted(condition(words))} ${forms.join(' ')} ${takes} -d ${quoted(help)}`
}

function lines({ words, flags, values }: CompletedCommand, commands: readonly CompletedCommand[]): string[] {
  const when = `complete -c blobwire -n ${quoted(condition(words))}`
  const below = new Map(commands.map((each) => [each.words, each.help]))
  const kinds = [...new Set(values.map(value))].filter((text) => text !== '')
  const words2 = values.find((kind) => typeof kind !== 'string') ?? []
  const described =
    words === ''
      ? (words2 as readonly string[]).map((name) => `${when} -a ${name} -d ${quoted(below.get(name) ?? '')}`)
      : []
  return [
    ...(described.length > 0 ? described : kinds.map((text) => `${when} ${text}`)),
    ...flags.map((each) => flag(words, each))
  ]
}

export function fishScript(commands: readonly CompletedCommand[]): string {
  const all = commands.flatMap((command) => lines(command, commands))
  return `# Completion of blobwire for fish.\ncomplete -c blobwire -f\n${all.map((line) => line.replaceAll(/ +/g, ' ')).join('\n')}\n`
}
