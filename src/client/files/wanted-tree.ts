/** The directories and files that a checkout is to leave, by name, and the names that it cannot write. */
import { isDotGit } from '../../git/dot-names.ts'
import { modeProblem } from '../../git/path.ts'
import { textForRules } from '../../git/raw-path.ts'
import { decodeUtf8, encodeLatin1 } from '../../platform/bytes.ts'
import { fileNameProblem } from '../../platform/directories.ts'
import type { ListedFile } from './listing.ts'
import type { Problem } from './problems.ts'

/** A directory that a checkout is to leave. Names and paths are binary strings. */
export interface WantedDirectory {
  readonly name: string
  readonly path: string
  readonly above: WantedDirectory | undefined
  readonly directories: Map<string, WantedDirectory>
  readonly files: Map<string, ListedFile>
  /** It does not exist yet, as far as is known. */
  isNew: boolean
}

/** How a file system compares names. */
export interface NameRules {
  readonly foldsCase: boolean
  /** Composed and decomposed characters are the same (Unicode NFC and NFD). */
  readonly foldsForm: boolean
}

function newDirectory(name: string, path: string, above: WantedDirectory | undefined): WantedDirectory {
  return { name, path, above, directories: new Map(), files: new Map(), isNew: false }
}

/** Arranges the files by directory. */
export function wantedTree(files: readonly ListedFile[]): { root: WantedDirectory; problems: Problem[] } {
  const problems: Problem[] = []
  const root = newDirectory('', '', undefined)
  const byPath = new Map([['', root]])
  const directoryAt = (path: string): WantedDirectory => {
    const found = byPath.get(path)
    if (found !== undefined) return found
    const slash = path.lastIndexOf('/')
    const above = directoryAt(slash < 0 ? '' : path.slice(0, slash))
    const made = newDirectory(path.slice(slash + 1), path, above)
    const problem = nameProblem(made.name)
    if (problem !== undefined) problems.push({ path, problem })
    above.directories.set(made.name, made)
    byPath.set(path, made)
    return made
  }
  for (const file of files) {
    const { path, mode } = file
    const slash = path.lastIndexOf('/')
    const directory = directoryAt(slash < 0 ? '' : path.slice(0, slash))
    const name = path.slice(slash + 1)
    const problem = nameProblem(name) ?? modeProblem(textForRules(name), mode)
    if (problem !== undefined) problems.push({ path, problem })
    // Trees of other tools may have a name twice; Git reads them.
    if (directory.files.has(name)) problems.push({ path, problem: 'must be in the tree once' })
    directory.files.set(name, file)
  }
  for (const { directories, files: inIt } of byPath.values()) {
    for (const [name, { path }] of directories) {
      if (inIt.has(name)) problems.push({ path, problem: 'must not be both a file and a directory' })
    }
  }
  return { root, problems }
}

/** The rule that the name of an entry violates. */
function nameProblem(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'must not have an empty name, "." or ".." in it'
  if (isDotGit(textForRules(name))) return 'must not have a name that a file system may read as ".git"'
  return fileNameProblem(name)
}

/** The name as the file system compares it. */
export function foldedName(name: string, { foldsCase, foldsForm }: NameRules): string {
  if (!foldsCase && !foldsForm) return name
  const text = decodeUtf8(encodeLatin1(name))
  const composed = foldsForm ? text.normalize('NFC') : text
  // Twice, because the upper case of some characters is that of several.
  return foldsCase ? composed.toUpperCase().toLowerCase() : composed
}

/** The paths that the file system holds equal to others of the tree. */
export function equalNames(root: WantedDirectory, rules: NameRules): Problem[] {
  if (!rules.foldsCase && !rules.foldsForm) return []
  const problems: Problem[] = []
  for (const { path, files, directories } of allDirectories(root)) {
    const seen = new Map<string, string>()
    for (const name of [...files.keys(), ...directories.keys()]) {
      const folded = foldedName(name, rules)
      const other = seen.get(folded)
      seen.set(folded, other ?? name)
      if (other === undefined || other === name) continue
      const problem = `is the same name as ${decodeUtf8(encodeLatin1(other))} on this file system`
      problems.push({ path: path === '' ? name : `${path}/${name}`, problem })
    }
  }
  return problems
}

/** The directory and all below it, each after the one that it is in. */
function* allDirectories(directory: WantedDirectory): Generator<WantedDirectory, void> {
  yield directory
  for (const below of directory.directories.values()) yield* allDirectories(below)
}
