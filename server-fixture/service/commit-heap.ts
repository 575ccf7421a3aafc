/** The commits that a walk through history has found and not visited yet. */

/** A commit to be visited. */
export interface FoundCommit {
  readonly oid: string
  /** As `ParsedCommit.date`. */
  readonly date: number
  /** Numbers the commits in the order in which they were found. */
  readonly number: number
}

/** A binary heap: the newest committer date first; of equal dates, the commit that was found first. */
export class CommitHeap {
  readonly #items: FoundCommit[] = []

  get size(): number {
    return this.#items.length
  }

  /** The oids, the first one first and the others in no order. */
  get oids(): string[] {
    return this.#items.map(({ oid }) => oid)
  }

  peek(): FoundCommit | undefined {
    return this.#items[0]
  }

  push(item: FoundCommit): void {
    const items = this.#items
    let at = items.length
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(item, items[above] as FoundCommit)) break
      items[at] = items[above] as FoundCommit
      at = above
    }
    items[at] = item
  }

  pop(): FoundCommit | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (first === undefined || last === undefined || items.length === 0) return first
    let at = 0
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      if (child + 1 < items.length && isBefore(items[child + 1] as FoundCommit, items[child] as FoundCommit)) child++
      if (!isBefore(items[child] as FoundCommit, last)) break
      items[at] = items[child] as FoundCommit
      at = child
    }
    items[at] = last
    return first
  }
}

function isBefore(a: FoundCommit, b: FoundCommit): boolean {
  return a.date === b.date ? a.number < b.number : a.date > b.date
}
