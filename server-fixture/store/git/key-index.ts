/** An index of the journal of request keys: from a hash of a key to the place of its record. */
import { hash } from 'node:crypto'

/** Filled up to this part. */
const maxLoad = 0.7

/**
 * A hash table in two arrays of numbers: 16 bytes a slot, 23 to 46 bytes a key, and nothing for the garbage collector to
 * look through. Hashes of 48 bits may collide, so that the reader checks the record at each place.
 */
export class KeyIndex {
  #hashes = new Float64Array(1024)
  #places = new Float64Array(1024)
  #size = 0

  /** Bytes of its arrays. */
  get bytes(): number {
    return this.#hashes.byteLength + this.#places.byteLength
  }

  get size(): number {
    return this.#size
  }

  add(text: string, place: number): void {
    this.#insert(hashOf(text), place)
  }

  /** Places of records that may hold the key, the newest first. */
  find(text: string): number[] {
    const wanted = hashOf(text)
    const found: number[] = []
    for (let slot = this.#slotOf(wanted); this.#hashes[slot] !== 0; slot = this.#next(slot)) {
      if (this.#hashes[slot] === wanted) found.push(this.#places[slot] as number)
    }
    return found.sort((left, right) => right - left)
  }

  /** Forgets all places that are smaller. */
  dropBefore(place: number): void {
    this.#rebuild(this.#hashes.length, place)
  }

  #insert(key: number, place: number): void {
    if (this.#size >= this.#hashes.length * maxLoad) this.#rebuild(this.#hashes.length * 2, 0)
    let slot = this.#slotOf(key)
    while (this.#hashes[slot] !== 0) slot = this.#next(slot)
    this.#hashes[slot] = key
    this.#places[slot] = place
    this.#size++
  }

  #rebuild(slots: number, first: number): void {
    const [hashes, places] = [this.#hashes, this.#places]
    this.#hashes = new Float64Array(slots)
    this.#places = new Float64Array(slots)
    this.#size = 0
    for (const [slot, key] of hashes.entries()) {
      const place = places[slot] as number
      if (key !== 0 && place >= first) this.#insert(key, place)
    }
  }

  #slotOf(key: number): number {
    return key % this.#hashes.length
  }

  #next(slot: number): number {
    return slot + 1 === this.#hashes.length ? 0 : slot + 1
  }
}

/** 0 is an empty slot. */
const hashOf = (text: string) => hash('sha1', text, 'buffer').readUIntBE(0, 6) + 1
