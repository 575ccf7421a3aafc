/** Where the journal has the events of one repository. */

const firstRoom = 8

/** Places of records that hold events, in ascending order: 8 bytes each, and nothing for the garbage collector. */
export class EventPlaces {
  readonly repository: string
  /** Events up to this one are kept no longer. */
  dropped: number
  /** The sequence of the last event. */
  last: number
  #places = new Float64Array(firstRoom)
  #start = 0
  #end = 0

  constructor(repository: string, dropped: number) {
    this.repository = repository
    this.dropped = dropped
    this.last = dropped
  }

  get isEmpty(): boolean {
    return this.#start === this.#end
  }

  /** Adds a record of so many events, which comes after all others. */
  add(place: number, count: number): void {
    if (this.#end === this.#places.length) this.#grow()
    this.#places[this.#end++] = place
    this.last = place + count - 1
  }

  /** The records that may have events after this one, at most `limit`. */
  after(sequence: number, limit: number): readonly number[] {
    let low = this.#start
    let high = this.#end
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#places[middle] as number) <= sequence) low = middle + 1
      else high = middle
    }
    // The record before may have several events.
    const begin = Math.max(this.#start, low - 1)
    return [...this.#places.subarray(begin, Math.min(this.#end, begin + limit + 1))]
  }

  /** Forgets all records before this place. */
  dropBefore(place: number): void {
    while (this.#start < this.#end && (this.#places[this.#start] as number) < place) this.#start++
    if (this.#start === 0) return
    // How many events the record before had is not known any more.
    this.dropped = this.#start === this.#end ? this.last : (this.#places[this.#start] as number) - 1
    this.#move(this.#places.length)
  }

  #grow(): void {
    this.#move(this.#places.length * 2)
  }

  #move(room: number): void {
    const places = new Float64Array(room)
    places.set(this.#places.subarray(this.#start, this.#end))
    this.#places = places
    this.#end -= this.#start
    this.#start = 0
  }
}
