/** Paths in trees. */
import { invalidArgument } from '../../src/core/error.ts'
import type { Mode } from '../../src/git/mode.ts'
import { readPathProblem, showPath } from '../../src/git/raw-path.ts'
import type { TreeItem } from '../../src/git/tree.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { notFound } from './errors.ts'
import type { Workspace } from './workspace.ts'

/** The text of a name or path; its bytes too if they are not UTF-8. */
export function textOf(bytes: Uint8Array): { path: string; rawPath?: Uint8Array } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const path = buffer.toString()
  return Buffer.from(path).equals(buffer) ? { path } : { path, rawPath: bytes }
}

/** An entry as responses carry it. */
export function toEntry(path: Uint8Array, item: TreeItem): Partial<Messages['TreeEntry']> {
  return { ...textOf(path), mode: item.mode as Mode, oid: item.oid, rawMode: item.rawMode ?? '' }
}

/** The segments of a path to be read. @throws BlobwireError `invalid_argument` */
function segmentsOf(path: string): string[] {
  const problem = readPathProblem(path)
  if (problem !== undefined) throw invalidArgument('path', problem)
  return path.split('/')
}

/** The entry at a path, a binary string, below a tree; undefined = missing. */
export async function entryAt(workspace: Workspace, tree: string, path: string): Promise<TreeItem | undefined> {
  let found: TreeItem | undefined
  let oid = tree
  for (const segment of segmentsOf(path)) {
    if (found !== undefined && found.mode !== '040000') return undefined
    const name = Buffer.from(segment, 'latin1')
    found = (await workspace.parsedTree(oid)).find(name)
    if (found === undefined) return undefined
    oid = found.oid
  }
  return found
}

/** The tree at a path; the empty path is the tree itself. @throws BlobwireError `not_found`, reason `path` */
export async function treeAt(workspace: Workspace, tree: string, path: string): Promise<string> {
  if (path === '') return tree
  const entry = await entryAt(workspace, tree, path)
  if (entry?.mode !== '040000') throw notFound('path', `directory ${showPath(path)} not found`)
  return entry.oid
}
