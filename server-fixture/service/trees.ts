/** The RPCs about trees. */
import { isZeroOid } from '../../src/git/oid.ts'
import type { TreeItem } from '../../src/git/tree.ts'
import { buildTrees, checkEntry, type PathEntry } from '../../src/git/tree-builder.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { checkOid } from './errors.ts'
import { pageSize, pageToken, readPageToken } from './paging.ts'
import { checkKinds, checkObjects } from './references.ts'
import { findTree } from './revision.ts'
import { editTree } from './tree-edit.ts'
import { toEntry, treeAt } from './tree-path.ts'
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
  for (const entry of puts) checkEntry(entry, workspace.format)
  await checkObjects(workspace, puts)
  const edits = entries.map((entry) =>
    isRemoval(entry) ? { path: entry.path, remove: true } : { path: entry.path, put: entry }
  )
  return { oid: await editTree(workspace, baseTree, edits) }
}

/** All entries below a tree, parents before children, in Git's order. */
async function* walk(workspace: Workspace, tree: string, prefix: Uint8Array): AsyncGenerator<[Uint8Array, TreeItem]> {
  for (const item of await workspace.tree(tree)) {
    const path = Buffer.concat([prefix, item.name])
    yield [path, item]
    if (item.mode === '040000') yield* walk(workspace, item.oid, Buffer.concat([path, Buffer.from('/')]))
  }
}

/** GetTree. Its page token names the tree, so that later pages are of the same one. */
export async function getTree(
  workspace: Workspace,
  request: Messages['GetTreeRequest']
): Promise<Messages['GetTreeResponse']> {
  const { revision, path, recursive } = request
  const limit = pageSize(request.pageSize, 1000, 10_000)
  const position = readPageToken('tree', request.pageToken, ['string', 'boolean', 'number'])
  const oid = position
    ? checkOid('pageToken', position[0] as string, workspace.format)
    : await treeAt(workspace, await findTree(workspace, revision), path)
  const deep = position ? (position[1] as boolean) : recursive
  const start = position ? (position[2] as number) : 0
  const page: Partial<Messages['TreeEntry']>[] = []
  let index = 0
  let nextPageToken = ''
  const empty = new Uint8Array(0)
  const entries = deep
    ? walk(workspace, oid, empty)
    : (await workspace.tree(oid)).map((item) => [item.name, item] as const)
  for await (const [name, item] of entries) {
    if (index >= start + limit) {
      nextPageToken = pageToken('tree', [oid, deep, index])
      break
    }
    if (index >= start) page.push(toEntry(name, item))
    index++
  }
  return { oid, entries: page as Messages['TreeEntry'][], nextPageToken }
}
