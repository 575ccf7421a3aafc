/**
 * The graph of modules for runtimes other than Node: that of Node, but that of each module of which a directory `web` beside
 * it has a replacement, the replacement is taken. What is imported when it is needed comes as one module, `later`: bundlers
 * make a chunk for each set of entry points that share modules, so that many entry points come as dozens of chunks.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, relative, sep } from 'node:path'

/** The file that takes the place of a file in the graph; a replacement itself may import the file that it replaces. */
export function replacementOf(file: string, importer: string): string {
  const replacement = join(dirname(file), 'web', file.slice(dirname(file).length + 1).replace(/\.c(?=[jt]s$)/, '.'))
  return replacement !== importer && existsSync(replacement) ? replacement : file
}

/** Tables of which some properties are for documents alone. */
const documented = /(?:core[\\/](?:reason-rows|host-reasons|runtime-reasons)|options[\\/]rows[\\/][a-z]+)\.[jt]s$/
const forDocuments = /\b(?:text|type|from|usually):\s*(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"),?/g

function codeOf(file: string): string {
  const code = readFileSync(file, 'utf8')
  return documented.test(file) ? code.replaceAll(forDocuments, '') : code
}

/** Paths of relative imports and exports, as `tsc` and this repository write them. */
const relativeImport = /(?<=(?:^|\n)(?:import|export)\s(?!type\s)[^'"`;=()]*'|(?:^|\n)import ')\.[^']*(?=')/g
const importWhenNeeded = /(?<!typeof )\bimport\('(\.[^']*)'\)/g

const specifier = (from: string, to: string) => {
  const path = relative(dirname(from), to).replaceAll(sep, '/')
  return path.startsWith('.') ? path : `./${path}`
}

/** The modules that the entries of a directory need: their code by their files. */
export function webGraph(directory: string, entries: readonly string[]): ReadonlyMap<string, string> {
  const modules = new Map<string, string>()
  const later = join(directory, `later${extname(entries[0] as string)}`)
  const neededLater = new Map<string, string>()
  const nameOf = (file: string) => {
    const name = relative(directory, file)
      .replace(/\.[jt]s$/, '')
      .replaceAll(/\W/g, '_')
    neededLater.set(file, name)
    return name
  }
  const add = (file: string) => {
    if (modules.has(file)) return
    modules.set(file, '')
    const found = (path: string) => {
      const target = replacementOf(join(dirname(file), path), file)
      add(target)
      return target
    }
    const code = codeOf(file)
      .replaceAll(relativeImport, (path) => specifier(file, found(path)))
      .replaceAll(
        importWhenNeeded,
        (_, path: string) => `import('${specifier(file, later)}').then(({ ${nameOf(found(path))}: found }) => found)`
      )
    modules.set(file, code)
  }
  for (const entry of entries) add(join(directory, entry))
  const exported = [...neededLater].map(([file, name]) => `export * as ${name} from '${specifier(later, file)}'\n`)
  // The client itself as well, so that it all is in one chunk: two are compressed apart.
  exported.push(`export { createClient } from '${specifier(later, join(directory, entries[0] as string))}'\n`)
  return modules.set(later, exported.join(''))
}

/** Copies the modules that the entries of a directory need to another directory, at the same places. */
export function writeWebGraph(from: string, to: string, entries: readonly string[]): void {
  for (const [file, code] of webGraph(from, entries)) {
    const place = join(to, relative(from, file))
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, code)
  }
}
