/** The completion of bash, from version 3.2 on, which macOS has. */
import type { CompletedCommand, ValueKind } from './commands.ts'

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
const replyFor = (kind: ValueKind) => (typeof kind === 'string' ? `:${kind}` : kind.join(' '))

/** The arms of a `case` that sets REPLY: one for each kind of value. */
function arms(patterns: readonly (readonly [pattern: string, kind: ValueKind])[]): string {
  const byReply = Map.groupBy(patterns, ([, kind]) => replyFor(kind))
  return [...byReply]
    .map(([reply, group]) => `    ${group.map(([pattern]) => quoted(pattern)).join('|')}) REPLY=${quoted(reply)} ;;`)
    .join('\n')
}

/** A key of a command, and of one of its flags or arguments. */
const key = (words: string, rest: string | number) => `${words} ${rest}`

export function bashScript(commands: readonly CompletedCommand[]): string {
  const values = commands.flatMap(({ words, flags }) =>
    flags.flatMap(({ names, value }) =>
      value === undefined ? [] : names.map((name) => [key(words, name), value] as const)
    )
  )
  const places = commands.flatMap(({ words, values: kinds }) =>
    kinds.map((kind, index) => [key(words, index), kind] as const)
  )
  const flags = commands.map(({ words, flags: all }) => [words, all.flatMap(({ names }) => names)] as const)
  const known = commands.flatMap(({ words }) => (words === '' ? [] : [quoted(words)])).join('|')
  return `# Completion of blobwire for bash.
_blobwire_value() {
  case $1 in
${arms(values)}
    *) return 1 ;;
  esac
}

_blobwire_argument() {
  case $1 in
${arms(places)}
    *) REPLY=':none' ;;
  esac
}

_blobwire_flags() {
  case $1 in
${arms(flags)}
  esac
}

_blobwire() {
  local cur=\${COMP_WORDS[COMP_CWORD]} command='' flag='' word='' REPLY='' i
  local -i count=0
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    # bash splits addresses at their colons.
    if [[ $word == : || $word == = ]]; then ((i++)); continue; fi
    if [[ -n $flag ]]; then flag=''; continue; fi
    if [[ $word == -* ]]; then
      if _blobwire_value "$command $word"; then flag=$word; fi
      continue
    fi
    case "\${command:+$command }$word" in
      ${known}) command="\${command:+$command }$word"; count=0 ;;
      *) count=count+1 ;;
    esac
  done
  if [[ -n $flag ]]; then _blobwire_value "$command $flag"
  elif [[ $cur == -* ]]; then _blobwire_flags "$command"
  else _blobwire_argument "$command $count"
  fi
  local IFS=$'\\n'
  case $REPLY in
    :file) COMPREPLY=($(compgen -f -- "$cur")); compopt -o filenames 2>/dev/null ;;
    :directory) COMPREPLY=($(compgen -d -- "$cur")); compopt -o filenames 2>/dev/null ;;
    :none) COMPREPLY=() ;;
    *) COMPREPLY=($(IFS=' '; compgen -W "$REPLY" -- "$cur")) ;;
  esac
}

complete -F _blobwire blobwire
`
}
