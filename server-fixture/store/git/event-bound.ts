/** The bound of events that the journal knows: those of its oldest segments are forgotten first. */
import { placeUnit } from './journal-record.ts'

export class EventBound {
  readonly #max: number
  /** Records with events, by segment, oldest first. */
  readonly #records = new Map<number, number>()
  #count = 0

  /** @param max records with events; those of the segment that is being written stay even so */
  constructor(max: number) {
    this.#max = max
  }

  add(place: number): void {
    const segment = Math.floor(place / placeUnit)
    this.#records.set(segment, (this.#records.get(segment) ?? 0) + 1)
    this.#count++
  }

  /** The segments before this one were removed. */
  dropBefore(segment: number): void {
    for (const [number, count] of this.#records) {
      if (number >= segment) continue
      this.#records.delete(number)
      this.#count -= count
    }
  }

  /** The first segment whose events are kept. */
  get first(): number {
    let left = this.#count
    const last = Math.max(...this.#records.keys())
    for (const [number, count] of [...this.#records].sort(([one], [other]) => one - other)) {
      if (left <= this.#max || number === last) return number
      left -= count
    }
    return 0
  }
}
