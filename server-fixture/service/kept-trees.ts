/** The trees that one unit of work has read or made last: a chain of commits edits the same directories again and again. */
import type { TreeItem } from '../../src/git/tree.ts'

/** Entries of all kept trees together. */
const maxEntries = 100_000

export class KeptTrees {
  readonly #trees = new Map<string, readonly TreeItem[]>()
  #entries = 0

  get(oid: string): readonly TreeItem[] | undefined {
    return this.#trees.get(oid)
  }

  add(oid: string, items: readonly TreeItem[]): void {
    if (this.#trees.has(oid)) return
    this.#trees.set(oid, items)
    this.#entries += items.length
    for (const [oldest, { length }] of this.#trees) {
      if (this.#entries <= maxEntries) break
      this.#trees.delete(oldest)
      this.#entries -= length
    }
  }
}
