/** The completion of zsh. */
import type { CompletedCommand, CompletedFlag, ValueKind } from './commands.ts'

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
/** Within a specification of `_arguments`. */
const escaped = (text: string) => text.replaceAll(/[\\:[\]]/g, '\\$&')

function action(kind: ValueKind): string {
  if (kind === 'file') return '_files'
  if (kind === 'directory') return '_files -/'
  return kind === 'none' ? ' ' : `(${kind.join(' ')})`
}

function flagSpecs({ names, value, help }: CompletedFlag): string[] {
  const exclusion = names.length > 1 ? `(${names.join(' ')})` : ''
  const ending = value === undefined ? '' : `:value:${action(value)}`
  return names.map((name) => quoted(`${exclusion}${name}[${escaped(help)}]${ending}`))
}

function branch({ words, flags, values }: CompletedCommand): string {
  const specs = [...flags.flatMap(flagSpecs), ...values.map((kind, at) => quoted(`${at + 1}:argument:${action(kind)}`))]
  return `    ${quoted(words)})\n      _arguments ${specs.join(' \\\n        ')} ;;`
}

export function zshScript(commands: readonly CompletedCommand[]): string {
  const named = commands.filter(({ words }) => words !== '')
  // Of two words, the second one has no branch of its own.
  const groups = new Set(commands.flatMap(({ words }) => (words.includes(' ') ? [words.split(' ')[0] as string] : [])))
  const described = named
    .filter(({ words }) => !words.includes(' '))
    .map(({ words, help }) => quoted(`${words}:${escaped(help)}`))
  return `#compdef blobwire
# Completion of blobwire for zsh.
_blobwire() {
  local command=$words[2]
  if (( CURRENT == 2 )); then
    local -a commands=(${described.join(' \\\n      ')})
    _describe command commands
    return
  fi
  if [[ $command == (${[...groups].join('|')}) ]] && (( CURRENT > 3 )); then
    command="$command $words[3]"
    shift words
    (( CURRENT-- ))
  fi
  shift words
  (( CURRENT-- ))
  case $command in
${named.map(branch).join('\n')}
  esac
}

if [[ $funcstack[1] == _blobwire ]]; then _blobwire "$@"; else compdef _blobwire blobwire; fi
`
}
