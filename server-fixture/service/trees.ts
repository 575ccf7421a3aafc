/** The RPCs about trees. */
import { isZeroOid } from '../../src/git/oid.ts'
import { binaryPath } from '../../src/git/raw-path.ts'
import { buildTrees, checkEntry, type PathEntry } from '../../src/git/tree-builder.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { checkOid } from './errors.ts'
import { checkPinned, PageTokens } from './page-token.ts'
import { fillPage, pageSize } from './paging.ts'
import { checkKinds, checkObjects } from './references.ts'
import { findTree } from './revision.ts'
import { editTree } from './tree-edit.ts'
import { toEntry, treeAt } from './tree-path.ts'
import { TreeWalk, type WalkedEntry } from './tree-walk.ts'
import type { Workspace } from './workspace.ts'

/** StoreTree. */
export async function storeTree(
  workspace: Workspace,
  request: Messages['StoreTreeRequest']
): Promise<Messages['StoreTreeResponse']> {
  const { entries, baseTree } = request
  if (baseTree === '') {
    const { oid, trees } = buildTrees(entries, workspace.format)
    await checkObjects(workspace, entries)
    for (const content of trees.values()) workspace.stage('tree', content)
    return { oid }
  }
  checkOid('baseTree', baseTree, workspace.format)
  await checkKinds(workspace, [{ oid: baseTree, kind: 'tree' }])
  const isRemoval = ({ oid }: PathEntry) => oid === '' || isZeroOid(oid)
  const puts = entries.filter((entry) => !isRemoval(entry))
  for (const [index, entry] of entries.entries()) if (!isRemoval(entry)) checkEntry(entry, workspace.format, index)
  await checkObjects(workspace, puts)
  const edits = entries.map((entry) => ({
    path: binaryPath(entry),
    ...(isRemoval(entry) ? { remove: true } : { put: entry })
  }))
  return { oid: await editTree(workspace, baseTree, edits) }
}

/** Holds the tree, so that later pages are of the same one. */
const tokens = new PageTokens('tree', ['text', 'flag', 'counts'])

const sizeOf = ({ path, item }: WalkedEntry) => 3 * path.length + item.oid.length + 60

/** GetTree. */
export async function getTree(
  workspace: Workspace,
  request: Messages['GetTreeRequest']
): Promise<Messages['GetTreeResponse']> {
  const { revision, recursive } = request
  const limit = pageSize(request.pageSize, 1000, 10_000)
  const [oid, isRecursive, position] = tokens.read(request.pageToken) ?? [
    await treeAt(workspace, await findTree(workspace, revision), binaryPath(request)),
    recursive,
    []
  ]
  if (request.pageToken !== '') await checkPinned(workspace, 'tree', oid)
  const walk = await TreeWalk.at(workspace, { tree: oid, isRecursive, position })
  const { items, isLast } = await fillPage(workspace, walk, { limit, sizeOf })
  const entries = items.map(({ path: at, item }) => toEntry(at, item)) as Messages['TreeEntry'][]
  return { oid, entries, nextPageToken: isLast ? '' : tokens.write(oid, isRecursive, walk.position) }
}
