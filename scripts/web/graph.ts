/**
 * The graph of modules for runtimes other than Node: that of Node, but that of each module of which a directory `web` beside
 * it has a replacement, the replacement is taken.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

/** The file that takes the place of a file in the graph; a replacement itself may import the file that it replaces. */
export function replacementOf(file: string, importer: string): string {
  const replacement = join(dirname(file), 'web', file.slice(dirname(file).length + 1).replace(/\.c(?=[jt]s$)/, '.'))
  return replacement !== importer && existsSync(replacement) ? replacement : file
}

/** Tables whose texts are for documents alone. */
const documented = /core[\\/](?:reason-rows|runtime-reasons)\.[jt]s$/
const textOfRow = /\btext:\s*(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"),?/g

/** The code of a module in the graph. */
export function codeOf(file: string): string {
  const code = readFileSync(file, 'utf8')
  return documented.test(file) ? code.replaceAll(textOfRow, '') : code
}

/** Paths of relative imports and exports, as `tsc` and this repository write them. */
const relativeImport = /(?<=(?:^|\n)(?:import|export)\s[^'"`;=()]*'|(?:^|\n)import '|\bimport\(')\.[^']*(?=')/g

/** Copies the modules that the entries of a directory need to another directory, at the same places. */
export function writeWebGraph(from: string, to: string, entries: readonly string[]): void {
  const seen = new Set<string>()
  const write = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    const directory = dirname(file)
    const found = codeOf(file).replaceAll(relativeImport, (specifier) => {
      const target = replacementOf(join(directory, specifier), file)
      write(target)
      const path = relative(directory, target).replaceAll(sep, '/')
      return path.startsWith('.') ? path : `./${path}`
    })
    const place = join(to, relative(from, file))
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, found)
  }
  for (const entry of entries) write(join(from, entry))
}
