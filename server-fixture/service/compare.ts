/** Compare: the paths that differ between two trees. */
import type { Mode } from '../../src/git/mode.ts'
import type { TreeItem } from '../../src/git/tree.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { checkPinned, invalidPageToken, PageTokens } from './page-token.ts'
import { fillPage, pageSize, passedOver, type Step, type Walk } from './paging.ts'
import type { ParsedTree } from './parsed-tree.ts'
import { findTree } from './revision.ts'
import { textOf } from './tree-path.ts'
import { checkDepth, directoryOf } from './tree-walk.ts'
import type { Workspace } from './workspace.ts'

type Change = Messages['PathChange']

/** One directory on both sides, and the entries that come next or, above the deepest level, are being compared. */
interface Level {
  readonly before: ParsedTree
  readonly after: ParsedTree
  readonly prefix: Uint8Array
  beforeAt: number
  afterAt: number
}

/** The next name of a level; a side that lacks it is undefined. */
interface Pair {
  readonly old: TreeItem | undefined
  readonly now: TreeItem | undefined
}

/** A directory that is to be compared; the empty text = this side lacks it. */
interface Sides {
  readonly before: string
  readonly after: string
  readonly prefix: Uint8Array
  readonly at: readonly [number, number]
}

/**
 * Merges two trees in Git's order, which is the byte order of the paths of files, and reads only directories that
 * differ.
 */
class CompareWalk implements Walk<Change> {
  readonly #workspace: Workspace
  readonly #levels: Level[] = []
  #next: Sides | undefined

  private constructor(workspace: Workspace) {
    this.#workspace = workspace
  }

  /** @throws BlobwireError `invalid_argument` where the trees have no such position */
  static async at(
    workspace: Workspace,
    { before, after, position }: { before: string; after: string; position: readonly number[] }
  ): Promise<CompareWalk> {
    const walk = new CompareWalk(workspace)
    for (let index = 0; index < position.length || index === 0; index += 2) {
      const at = [position[index] ?? 0, position[index + 1] ?? 0] as const
      if (index === 0) walk.#next = { before, after, prefix: new Uint8Array(0), at }
      else if (!walk.#descend(at)) throw invalidPageToken()
      await walk.#enter()
    }
    return walk
  }

  /** Two indexes for each directory on the way to the next entries. */
  get position(): number[] {
    return [...this.#levels.flatMap(({ beforeAt, afterAt }) => [beforeAt, afterAt]), ...(this.#next?.at ?? [])]
  }

  peek(): Step<Change> | Promise<Step<Change>> {
    if (this.#next) return this.#enter().then(() => this.peek())
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      const order = orderAt(level)
      if (order !== undefined) {
        if (isDirectory(level, order) || isUnchanged(level, order)) return passedOver
        return toChange(level, pairAt(level, order))
      }
      this.#levels.pop()
      const above = this.#levels.at(-1)
      if (above) pass(above)
    }
    return undefined
  }

  advance(): void {
    const level = this.#levels.at(-1)
    if (level && !this.#descend([0, 0])) pass(level)
  }

  /** Goes into the next pair, if it is a directory that differs. */
  #descend(at: Sides['at']): boolean {
    const level = this.#levels.at(-1)
    const order = level && orderAt(level)
    if (level === undefined || order === undefined || !isDirectory(level, order) || isUnchanged(level, order)) {
      return false
    }
    const { old, now } = pairAt(level, order)
    const prefix = directoryOf(Buffer.concat([level.prefix, (old ?? now)?.name ?? new Uint8Array(0)]))
    this.#next = { before: old?.oid ?? '', after: now?.oid ?? '', prefix, at }
    return true
  }

  async #enter(): Promise<void> {
    if (this.#next === undefined) return
    const { before: beforeOid, after: afterOid, prefix, at } = this.#next
    checkDepth(this.#levels.length + 1)
    const [before, after] = await Promise.all([
      this.#workspace.parsedTree(beforeOid),
      this.#workspace.parsedTree(afterOid)
    ])
    const [beforeAt, afterAt] = at
    this.#levels.push({ before: before.inOrder(), after: after.inOrder(), prefix, beforeAt, afterAt })
    this.#next = undefined
  }
}

/** Negative = the next name is only before, positive = only after, 0 = on both sides; undefined = there is none. */
function orderAt({ before, after, beforeAt, afterAt }: Level): number | undefined {
  if (beforeAt >= before.length) return afterAt >= after.length ? undefined : 1
  return afterAt >= after.length ? -1 : before.compare(beforeAt, after, afterAt)
}

function isDirectory({ before, after, beforeAt, afterAt }: Level, order: number): boolean {
  return order <= 0 ? before.isTree(beforeAt) : after.isTree(afterAt)
}

function isUnchanged({ before, after, beforeAt, afterAt }: Level, order: number): boolean {
  return order === 0 && before.hasSameContent(beforeAt, after, afterAt)
}

function pairAt({ before, after, beforeAt, afterAt }: Level, order: number): Pair {
  return {
    old: order <= 0 ? before.item(beforeAt) : undefined,
    now: order >= 0 ? after.item(afterAt) : undefined
  }
}

function pass(level: Level): void {
  const order = orderAt(level) ?? 0
  if (order <= 0) level.beforeAt++
  if (order >= 0) level.afterAt++
}

function toChange({ prefix }: Level, { old, now }: Pair): Change {
  const kind = (mode: string) => mode.slice(0, 3)
  const status = !old ? 'added' : !now ? 'deleted' : kind(old.mode) === kind(now.mode) ? 'modified' : 'type_changed'
  return {
    rawPath: new Uint8Array(0),
    ...textOf(Buffer.concat([prefix, (old ?? now)?.name ?? new Uint8Array(0)])),
    status,
    oldMode: (old?.mode ?? '') as Mode | '',
    oldOid: old?.oid ?? '',
    newMode: (now?.mode ?? '') as Mode | '',
    newOid: now?.oid ?? ''
  }
}

/** Holds both trees, so that later pages compare the same. */
const tokens = new PageTokens('compare', ['text', 'text', 'counts'])

const sizeOf = ({ path, rawPath, oldOid, newOid }: Change) =>
  Buffer.byteLength(path) + 1.4 * rawPath.length + oldOid.length + newOid.length + 120

/** Compare. */
export async function compare(
  workspace: Workspace,
  request: Messages['CompareRequest']
): Promise<Messages['CompareResponse']> {
  const limit = pageSize(request.pageSize, 1000, 10_000)
  const [before, after, position] = tokens.read(request.pageToken) ?? [
    await findTree(workspace, request.base),
    await findTree(workspace, request.head),
    []
  ]
  if (request.pageToken !== '') {
    for (const oid of [before, after]) await checkPinned(workspace, 'tree', oid)
  }
  const walk = await CompareWalk.at(workspace, { before, after, position })
  const { items, isLast } = await fillPage(workspace, walk, { limit, sizeOf })
  return { changes: items, nextPageToken: isLast ? '' : tokens.write(before, after, walk.position) }
}
