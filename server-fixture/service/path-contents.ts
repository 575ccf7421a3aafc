/** The content at one path in the trees of many commits. */
import { entryAt } from './tree-path.ts'
import type { Workspace } from './workspace.ts'

/** Trees that are looked into together, so that their directories are read together: so many, and with so many bytes. */
const atOnce = { most: 512, bytes: 8 * 1024 * 1024 }
const maxKept = 1000
const keptBytes = 250

export class PathContents {
  readonly #path: string
  /** By root tree; the newest last. */
  readonly #known = new Map<string, string>()
  /** Bytes of the largest tree on the way to the path; before the first look, no others are looked into. */
  #largestBytes = atOnce.bytes

  constructor(path: string) {
    this.#path = path
  }

  /** Estimated memory in bytes. */
  get bytes(): number {
    return this.#known.size * keptBytes
  }

  /**
   * Mode and oid at the path; the empty text = nothing is there.
   * @param next commits whose trees are likely asked for soon
   */
  async at(workspace: Workspace, tree: string, next: Iterable<{ readonly tree: string }>): Promise<string> {
    const known = this.#known.get(tree)
    if (known !== undefined) return known
    const others = new Set<string>()
    const most = Math.min(atOnce.most, atOnce.bytes / this.#largestBytes) - 1
    for (const { tree: other } of next) {
      if (others.size >= most) break
      if (other !== tree && !this.#known.has(other)) others.add(other)
    }
    // Failures of the others are those of their own turn.
    const [here] = await Promise.all([
      this.#look(workspace, tree),
      ...Array.from(others, (other) => this.#look(workspace, other).catch(() => undefined))
    ])
    return here
  }

  async #look(workspace: Workspace, tree: string): Promise<string> {
    const passed = { bytes: 1 }
    const entry = await entryAt(workspace, tree, this.#path, passed)
    this.#largestBytes = this.#known.size === 0 ? passed.bytes : Math.max(this.#largestBytes, passed.bytes)
    const content = entry ? `${entry.mode} ${entry.oid}` : ''
    this.#known.set(tree, content)
    const [oldest] = this.#known.keys()
    if (this.#known.size > maxKept && oldest !== undefined) this.#known.delete(oldest)
    return content
  }
}
