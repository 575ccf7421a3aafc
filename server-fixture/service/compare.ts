/** Compare: the paths that differ between two trees. */
import type { Mode } from '../../src/git/mode.ts'
import type { TreeItem } from '../../src/git/tree.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { checkOid } from './errors.ts'
import { pageSize, pageToken, readPageToken } from './paging.ts'
import { findTree } from './revision.ts'
import { textOf } from './tree-path.ts'
import type { Workspace } from './workspace.ts'

/** One name on both sides. */
type Pair = [name: Uint8Array, old: TreeItem | undefined, now: TreeItem | undefined]

const isTree = (item: TreeItem | undefined) => item?.mode === '040000'

function pairUp(before: readonly TreeItem[], after: readonly TreeItem[]): Pair[] {
  const pairs = new Map<string, Pair>()
  const key = (item: TreeItem) => Buffer.from(item.name).toString('latin1')
  for (const item of before) pairs.set(key(item), [item.name, item, undefined])
  for (const item of after) {
    const pair = pairs.get(key(item))
    if (pair) pair[2] = item
    else pairs.set(key(item), [item.name, undefined, item])
  }
  return [...pairs.values()].filter(([, old, now]) => old?.oid !== now?.oid || old?.mode !== now?.mode)
}

interface Sides {
  readonly before: string
  readonly after: string
  readonly prefix: Uint8Array
}

/** Every path that differs, without directories; reads only directories that differ. */
async function differences(workspace: Workspace, { before, after, prefix }: Sides): Promise<Messages['PathChange'][]> {
  const found: Messages['PathChange'][] = []
  for (const [name, old, now] of pairUp(await workspace.tree(before), await workspace.tree(after))) {
    const path = Buffer.concat([prefix, name])
    const oldFile = isTree(old) ? undefined : old
    const newFile = isTree(now) ? undefined : now
    if (oldFile || newFile) found.push(change(path, oldFile, newFile))
    if (isTree(old) || isTree(now)) {
      const below = Buffer.concat([path, Buffer.from('/')])
      const sides = { before: isTree(old) ? old?.oid : '', after: isTree(now) ? now?.oid : '', prefix: below }
      found.push(...(await differences(workspace, sides as Sides)))
    }
  }
  return found
}

function change(path: Uint8Array, old: TreeItem | undefined, now: TreeItem | undefined): Messages['PathChange'] {
  const kind = (mode: string) => mode.slice(0, 3)
  const status = !old ? 'added' : !now ? 'deleted' : kind(old.mode) === kind(now.mode) ? 'modified' : 'type_changed'
  return {
    rawPath: new Uint8Array(0),
    ...textOf(path),
    status,
    oldMode: (old?.mode ?? '') as Mode | '',
    oldOid: old?.oid ?? '',
    newMode: (now?.mode ?? '') as Mode | '',
    newOid: now?.oid ?? ''
  }
}

function pathBytes({ path, rawPath }: Messages['PathChange']): Uint8Array {
  return rawPath.length > 0 ? rawPath : Buffer.from(path)
}

/** Compare. Its page token names both trees, so that later pages compare the same. */
export async function compare(
  workspace: Workspace,
  request: Messages['CompareRequest']
): Promise<Messages['CompareResponse']> {
  const limit = pageSize(request.pageSize, 1000, 10_000)
  const position = readPageToken('compare', request.pageToken, ['string', 'string', 'number'])
  const before = position ? (position[0] as string) : await findTree(workspace, request.base)
  const after = position ? (position[1] as string) : await findTree(workspace, request.head)
  checkOid('pageToken', before, workspace.format)
  checkOid('pageToken', after, workspace.format)
  const start = position ? (position[2] as number) : 0
  const all = await differences(workspace, { before, after, prefix: new Uint8Array(0) })
  all.sort((a, b) => Buffer.compare(pathBytes(a), pathBytes(b)))
  const changes = all.slice(start, start + limit)
  const next = start + limit
  return { changes, nextPageToken: all.length > next ? pageToken('compare', [before, after, next]) : '' }
}
