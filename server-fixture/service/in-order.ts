/** Lets concurrent work of one key go on in the order in which it began, however long each piece takes. */
export class InOrder {
  readonly #last = new Map<string, Promise<void>>()

  /** No work of the key is under way. */
  isIdle(key: string): boolean {
    return !this.#last.has(key)
  }

  /** The outcome of the work, once all earlier work of the key has settled. */
  async after<Result>(key: string, work: Promise<Result>): Promise<Result> {
    const settled = work.then(ignore, ignore)
    const before = this.#last.get(key)
    // Its value is nothing: it must not keep the outcomes of all work before it in memory.
    const mine = before ? before.then(() => settled) : settled
    this.#last.set(key, mine)
    await mine
    if (this.#last.get(key) === mine) this.#last.delete(key)
    return work
  }
}

const ignore = () => undefined
