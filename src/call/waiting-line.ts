/** Calls that wait for their turn: first come, first served; any may leave, and the last can be sent away. */
export class WaitingLine<Kind> {
  /** A set keeps the order, and a waiter leaves from the middle at no cost. */
  readonly #waiting = new Set<Kind>()
  /** In the same order, with some who have left: a set does not tell its last. */
  #order: Kind[] = []

  get size(): number {
    return this.#waiting.size
  }

  add(waiter: Kind): void {
    this.#waiting.add(waiter)
    if (this.#order.length > 2 * this.#waiting.size + 64) this.#order = [...this.#waiting]
    else this.#order.push(waiter)
  }

  delete(waiter: Kind): void {
    this.#waiting.delete(waiter)
  }

  clear(): void {
    this.#waiting.clear()
    this.#order = []
  }

  takeFirst(): Kind | undefined {
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter)
      return waiter
    }
    return undefined
  }

  takeLast(): Kind | undefined {
    for (let waiter = this.#order.pop(); waiter !== undefined; waiter = this.#order.pop()) {
      if (this.#waiting.delete(waiter)) return waiter
    }
    return undefined
  }
}
