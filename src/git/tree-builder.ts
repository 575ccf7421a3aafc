/** Builds the trees of a directory structure from its paths. */
import { invalidArgument } from '../core/error.ts'
import { encodeLatin1 } from '../platform/bytes.ts'
import { isMode, modeRule } from './mode.ts'
import { hashObject, isOid, type ObjectFormat, oidProblem } from './oid.ts'
import { modeProblem } from './path.ts'
import { binaryPath, type PathFields, rawPathProblem, showPath, textForRules } from './raw-path.ts'
import { encodeTree, type TreeItem } from './tree.ts'

/** A file or a whole tree, at a path with "/" between the segments. */
export interface PathEntry extends PathFields {
  readonly mode: string
  readonly oid: string
}

/** A root tree and all trees below it. */
export interface BuiltTrees {
  /** Oid of the root tree. */
  readonly oid: string
  /** Content of every tree by its oid, including the root. */
  readonly trees: Map<string, Uint8Array>
}

/** A directory under construction: its subdirectories and entries by name, a binary string. */
type Directory = Map<string, Directory | PathEntry>

/** @throws BlobwireError `invalid_argument` naming the entry for a path, mode or oid that a tree cannot hold */
export function checkEntry(entry: PathEntry, format: ObjectFormat, index: number): void {
  const { mode, oid } = entry
  const where = `entries[${index}]`
  const problem = rawPathProblem(entry) ?? modeProblem(textForRules(binaryPath(entry)), mode)
  if (problem !== undefined) throw invalidArgument(`${where}.path`, problem)
  if (!isMode(mode)) throw invalidArgument(`${where}.mode`, modeRule(mode))
  if (!isOid(oid, format)) throw invalidArgument(`${where}.oid`, oidProblem(oid, format))
}

/**
 * Builds all trees of the entries, offline.
 * @throws BlobwireError `invalid_argument` for a path that is given twice, or is both a file and a directory
 */
export function buildTrees(entries: Iterable<PathEntry>, format: ObjectFormat): BuiltTrees {
  const root: Directory = new Map()
  let index = 0
  for (const entry of entries) {
    checkEntry(entry, format, index++)
    place(root, entry)
  }
  const trees = new Map<string, Uint8Array>()
  return { oid: write(root, format, trees), trees }
}

function place(root: Directory, entry: PathEntry): void {
  const path = binaryPath(entry)
  const segments = path.split('/')
  const name = segments.pop() as string
  let directory = root
  for (const segment of segments) {
    const next = directory.get(segment)
    if (next instanceof Map) directory = next
    else if (next === undefined) {
      const made: Directory = new Map()
      directory.set(segment, made)
      directory = made
    } else throw conflict(path)
  }
  if (directory.has(name)) throw conflict(path)
  directory.set(name, entry)
}

function conflict(path: string): Error {
  return invalidArgument('entries', `${showPath(path)} occurs twice, or is both a file and a directory`)
}

function write(directory: Directory, format: ObjectFormat, trees: Map<string, Uint8Array>): string {
  const items: TreeItem[] = []
  for (const [name, item] of directory) {
    const bytes = encodeLatin1(name)
    if (item instanceof Map) items.push({ name: bytes, mode: '040000', oid: write(item, format, trees) })
    else items.push({ name: bytes, mode: item.mode, oid: item.oid })
  }
  const content = encodeTree(items, format)
  const oid = hashObject('tree', content, format)
  trees.set(oid, content)
  return oid
}
