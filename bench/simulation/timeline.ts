/** Simulated time: what happens, in order. One unit is a microsecond. */

interface Due {
  readonly at: number
  /** Of those that are due at the same time, the first comes first. */
  readonly order: number
  readonly happen: () => void
}

const isBefore = (one: Due, other: Due) => one.at < other.at || (one.at === other.at && one.order < other.order)

export class Timeline {
  /** Microseconds since the beginning. */
  now = 0
  /** A binary heap: each is due before its two children. */
  readonly #heap: Due[] = []
  #count = 0

  after(us: number, happen: () => void): void {
    const heap = this.#heap
    const due = { at: this.now + us, order: this.#count++, happen }
    let place = heap.push(due) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (isBefore(heap[parent] as Due, due)) break
      heap[place] = heap[parent] as Due
      place = parent
    }
    heap[place] = due
  }

  /** Everything that is due up to this time happens. */
  runUntil(end: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.at <= end; first = this.#heap[0]) {
      this.#removeFirst()
      this.now = first.at
      first.happen()
    }
    this.now = end
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      if (left >= heap.length) break
      const right = left + 1
      const least = right < heap.length && isBefore(heap[right] as Due, heap[left] as Due) ? right : left
      if (isBefore(last, heap[least] as Due)) break
      heap[place] = heap[least] as Due
      place = least
    }
    heap[place] = last
  }
}

/** Numbers from 0 up to 1, the same in each run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    // A linear congruential generator (Numerical Recipes), whose high bits are mixed into the low ones.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return ((state ^ (state >>> 15)) >>> 0) / 2 ** 32
  }
}
