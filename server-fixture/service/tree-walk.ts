/** The walk of GetTree: all entries of a tree, parents before children, in Git's order. */
import { BlobwireError } from '../../src/core/error.ts'
import type { TreeItem } from '../../src/git/tree.ts'
import { invalidPageToken } from './page-token.ts'
import type { Step, Walk } from './paging.ts'
import type { ParsedTree } from './parsed-tree.ts'
import type { Workspace } from './workspace.ts'

/** Deeper trees are not walked. Source: `core.maxTreeDepth` in git-config(1). */
const maxTreeDepth = 2048

/** @throws BlobwireError `resource_exhausted` */
export function checkDepth(depth: number): void {
  if (depth <= maxTreeDepth) return
  const message = `the tree has directories in more than ${maxTreeDepth} levels`
  throw new BlobwireError({ code: 'resource_exhausted', message })
}

/** The path of the entries below a path. */
export const directoryOf = (path: Uint8Array) => Buffer.concat([path, Buffer.from('/')])

interface Level {
  readonly tree: ParsedTree
  readonly prefix: Uint8Array
  /** The entry that comes next or, above the deepest level, whose entries are being walked. */
  at: number
}

/** An entry with its path from the root of the walk. */
export interface WalkedEntry {
  readonly path: Uint8Array
  readonly item: TreeItem
}

export class TreeWalk implements Walk<WalkedEntry> {
  readonly #workspace: Workspace
  readonly #isRecursive: boolean
  readonly #levels: Level[] = []
  /** The directory whose entries come next; its tree is not read yet. */
  #next: { readonly oid: string; readonly prefix: Uint8Array; readonly at: number } | undefined
  #peeked: WalkedEntry | undefined

  private constructor(workspace: Workspace, isRecursive: boolean) {
    this.#workspace = workspace
    this.#isRecursive = isRecursive
  }

  /**
   * @param position as `position` told it; empty = the start
   * @throws BlobwireError `invalid_argument` where the tree has no such position
   */
  static async at(
    workspace: Workspace,
    { tree, isRecursive, position }: { tree: string; isRecursive: boolean; position: readonly number[] }
  ): Promise<TreeWalk> {
    const walk = new TreeWalk(workspace, isRecursive)
    walk.#next = { oid: tree, prefix: new Uint8Array(0), at: position[0] ?? 0 }
    for (const [depth, at] of position.entries()) {
      if (depth > 0) walk.#descend(at)
      await walk.#enter()
    }
    return walk
  }

  /** The index of the next entry in each directory on the way to it. */
  get position(): number[] {
    return [...this.#levels.map(({ at }) => at), ...(this.#next ? [this.#next.at] : [])]
  }

  peek(): Step<WalkedEntry> | Promise<Step<WalkedEntry>> {
    if (this.#peeked) return this.#peeked
    if (this.#next) return this.#enter().then(() => this.peek())
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      if (level.at < level.tree.length) {
        const item = level.tree.item(level.at)
        this.#peeked = { path: Buffer.concat([level.prefix, item.name]), item }
        return this.#peeked
      }
      this.#levels.pop()
      const above = this.#levels.at(-1)
      if (above) above.at++
    }
    return undefined
  }

  advance(): void {
    const level = this.#levels.at(-1)
    this.#peeked = undefined
    if (level === undefined) return
    if (this.#isRecursive && level.tree.isTree(level.at)) this.#descend(0)
    else level.at++
  }

  #descend(at: number): void {
    const level = this.#levels.at(-1)
    if (!this.#isRecursive || level === undefined || level.at >= level.tree.length || !level.tree.isTree(level.at)) {
      throw invalidPageToken()
    }
    const { name, oid } = level.tree.item(level.at)
    this.#next = { oid, prefix: directoryOf(Buffer.concat([level.prefix, name])), at }
  }

  async #enter(): Promise<void> {
    if (this.#next === undefined) return
    const { oid, prefix, at } = this.#next
    checkDepth(this.#levels.length + 1)
    const tree = await this.#workspace.parsedTree(oid)
    this.#levels.push({ tree, prefix, at })
    this.#next = undefined
  }
}
