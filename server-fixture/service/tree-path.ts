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

/** Of a longer path that is not there, not every beginning is looked up. */
const maxSlashes = 16

/**
 * The entry at a path, a binary string, below a tree; undefined = missing. Git reads names that hold a slash, too.
 * @param passed is told the bytes of the largest tree on the way
 * @throws BlobwireError `invalid_argument` for what no path is
 */
export async function entryAt(
  workspace: Workspace,
  tree: string,
  path: string,
  passed?: { bytes: number }
): Promise<TreeItem | undefined> {
  const problem = readPathProblem(path)
  if (problem !== undefined) throw invalidArgument('path', problem)
  let directory = await workspace.parsedTree(tree)
  let at = 0
  let slashes = 0
  for (let end = endOfSegment(path, 0); ; end = endOfSegment(path, end + 1)) {
    if (passed !== undefined) passed.bytes = Math.max(passed.bytes, directory.bytes)
    const found = directory.find(Buffer.from(path.slice(at, end), 'latin1'))
    if (end === path.length) return found
    if (found === undefined && slashes++ < maxSlashes) continue
    if (found?.mode !== '040000') return undefined
    directory = await workspace.parsedTree(found.oid)
    at = end + 1
    slashes = 0
  }
}

function endOfSegment(path: string, at: number): number {
  const end = path.indexOf('/', at)
  return end < 0 ? path.length : end
}

/** The tree at a path; the empty path is the tree itself. @throws BlobwireError `not_found`, reason `path` */
export async function treeAt(workspace: Workspace, tree: string, path: string): Promise<string> {
  if (path === '') return tree
  const entry = await entryAt(workspace, tree, path)
  if (entry?.mode !== '040000') throw notFound('path', `directory ${showPath(path)} not found`)
  return entry.oid
}
