/** Applies edits to a tree. */
import { invalidArgument } from '../../src/core/error.ts'
import { pathProblem } from '../../src/git/path.ts'
import { readPathProblem, showPath, textForRules } from '../../src/git/raw-path.ts'
import type { TreeItem } from '../../src/git/tree.ts'
import { precondition } from './errors.ts'
import type { Workspace } from './workspace.ts'

/**
 * One change of a tree, at a path that is a binary string. Removals happen before puts, so that a file can take a
 * directory's place in one edit.
 */
export interface Edit {
  readonly path: string
  readonly remove?: boolean
  readonly put?: { readonly mode: string; readonly oid: string }
}

/** The edits at and below one name. */
interface Node {
  readonly children: Map<string, Node>
  remove: boolean
  put: Edit['put']
}

const newNode = (): Node => ({ children: new Map(), remove: false, put: undefined })

function plan(edits: readonly Edit[]): Node {
  const root = newNode()
  for (const { path, remove, put } of edits) {
    // Git has paths that no new tree may have; they can be removed.
    const mayBeThere = put === undefined && readPathProblem(path) === undefined
    const problem = mayBeThere ? undefined : pathProblem(textForRules(path), path.length)
    if (problem !== undefined) throw invalidArgument(`changes[${showPath(path)}].path`, problem)
    let node = root
    for (const segment of path.split('/')) {
      const next = node.children.get(segment) ?? newNode()
      node.children.set(segment, next)
      node = next
    }
    if (put !== undefined && node.put !== undefined) {
      throw invalidArgument('changes', `${showPath(path)} must not be changed twice`)
    }
    node.remove ||= remove ?? false
    node.put ??= put
  }
  return root
}

/**
 * Applies edits to a tree (the empty text = the empty tree), and stages the new trees. Directories that end up empty
 * vanish.
 * @throws BlobwireError `failed_precondition`, reason `path_not_found` or `path_conflict`; `invalid_argument`
 */
export async function editTree(workspace: Workspace, tree: string, edits: readonly Edit[]): Promise<string> {
  return (await apply(workspace, { tree, node: plan(edits), path: '' })) || workspace.stage('tree', new Uint8Array(0))
}

interface Place {
  readonly tree: string
  readonly node: Node
  readonly path: string
}

function putsBelow(node: Node): boolean {
  return [...node.children.values()].some((child) => child.put !== undefined || putsBelow(child))
}

/**
 * The edited tree's oid; the empty text if it has no entries left. A tree in which nothing changes stays as it is; of one
 * that does, the entries that no edit names keep their bytes. A name that stands there twice counts once, as Git looks it
 * up: the first.
 */
async function apply(workspace: Workspace, { tree, node, path }: Place): Promise<string> {
  const items = new Map<string, TreeItem>()
  for (const item of await workspace.tree(tree)) {
    const key = Buffer.from(item.name).toString('latin1')
    if (!items.has(key)) items.set(key, item)
  }
  let isChanged = false
  for (const [segment, child] of node.children) {
    const name = Buffer.from(segment, 'latin1')
    const here = path === '' ? segment : `${path}/${segment}`
    const found = items.get(segment)
    const item = await applyChild(workspace, { item: found, node: child, path: here })
    if (item === found) continue
    isChanged = true
    if (item === undefined) items.delete(segment)
    else items.set(segment, { name, ...item })
  }
  return isChanged ? workspace.stageTree([...items.values()]) : tree
}

/** The same edits without their removals. */
function putsOf({ children, put }: Node): Node {
  return { children: new Map([...children].map(([name, child]) => [name, putsOf(child)])), remove: false, put }
}

/** @throws BlobwireError `failed_precondition`, reason `path_not_found`, if a path to be removed is missing */
async function checkRemovals(
  workspace: Workspace,
  { item, node, path }: { item: Content; node: Node; path: string }
): Promise<void> {
  const items = item.mode === '040000' && node.children.size > 0 ? await workspace.tree(item.oid) : []
  for (const [segment, child] of node.children) {
    const here = `${path}/${segment}`
    const name = Buffer.from(segment, 'latin1')
    const found = items.find((entry) => name.equals(entry.name))
    if (found !== undefined) await checkRemovals(workspace, { item: found, node: child, path: here })
    else if (removesSome(child))
      throw precondition('path_not_found', `cannot remove ${showPath(here)}: the path does not exist`)
  }
}

const removesSome = (node: Node): boolean => node.remove || [...node.children.values()].some(removesSome)

type Content = Pick<TreeItem, 'mode' | 'oid'>

async function applyChild(
  workspace: Workspace,
  { item, node, path }: { item: TreeItem | undefined; node: Node; path: string }
): Promise<Content | undefined> {
  if (node.remove && item === undefined)
    throw precondition('path_not_found', `cannot remove ${showPath(path)}: the path does not exist`)
  // Paths below a removed directory may be named too: a file can be moved out of it.
  if (node.remove && item !== undefined) await checkRemovals(workspace, { item, node, path })
  let content: Content | undefined = node.remove ? undefined : item
  if (node.children.size > 0) {
    if (node.put && putsBelow(node))
      throw invalidArgument('changes', `${showPath(path)} must not be both a file and a directory`)
    if (content !== undefined && content.mode !== '040000') {
      if (putsBelow(node))
        throw precondition('path_conflict', `${showPath(path)} is a file, not a directory; remove it first`)
      throw precondition('path_not_found', `${showPath(path)} is a file, not a directory`)
    }
    const below = node.remove ? { ...node, children: putsOf(node).children } : node
    const oid = await apply(workspace, { tree: content?.oid ?? '', node: below, path })
    if (oid !== content?.oid) content = oid === '' ? undefined : { mode: '040000', oid }
  }
  if (node.put === undefined) return content
  if (content !== undefined && (content.mode === '040000') !== (node.put.mode === '040000')) {
    throw precondition(
      'path_conflict',
      `${showPath(path)} is a ${content.mode === '040000' ? 'directory' : 'file'}; remove it first`
    )
  }
  const { mode, oid } = node.put
  return item?.mode === mode && item.oid === oid && item.rawMode === undefined ? item : { mode, oid }
}
