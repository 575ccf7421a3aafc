/**
 * The graph of modules for runtimes other than Node: that of Node, but that of each module of which a directory `web` beside
 * it has a replacement, the replacement is taken.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The file that takes the place of a file in the graph; a replacement itself may import the file that it replaces. */
export function replacementOf(file: string, importer: string): string {
  const replacement = join(dirname(file), 'web', file.slice(dirname(file).length + 1).replace(/\.c(?=[jt]s$)/, '.'))
  return replacement !== importer && existsSync(replacement) ? replacement : file
}
