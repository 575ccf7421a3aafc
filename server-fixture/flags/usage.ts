/** The flags as text, and as values. */
import { parseArgs } from 'node:util'
import { UsageError } from '../usage-error.ts'
import { type Flag, flags } from './table.ts'

const termWidth = 36
const lineWidth = 120

function describe([name, { value, help }]: [string, Flag]): string {
  const term = `  --${name}${value === undefined ? '' : ` ${value}`} `.padEnd(termWidth)
  const lines = ['']
  for (const word of help.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`.trimStart()
    if (termWidth + longer.length > lineWidth) lines.push(word)
    else lines[lines.length - 1] = longer
  }
  return term + lines.join(`\n${' '.repeat(termWidth)}`)
}

/** All flags, as `--help` shows them. */
export function usage(command: string): string {
  return [`usage: ${command} [flags]`, ...Object.entries(flags).map(describe)].join('\n')
}

/** The flags that were given, with defaults. @throws UsageError */
export function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** The values of all flags. */
export type FlagValues = ReturnType<typeof parseFlags>
