/** Content in pieces as they came, so that it may be larger than any buffer, and grows without being copied. */

/** Pieces are looked at together when they cost so much memory. */
const groupCost = 256 * 1024
/** Memory of a piece beside its bytes. */
const pieceCost = 256
/** Bytes that are read at a time. */
const sliceBytes = 256 * 1024
/** A shorter piece is joined with the next ones that have to be copied. */
const shortBytes = 16 * 1024

export class BlockList {
  readonly #pieces: Uint8Array[] = []
  /** Where in the content each piece begins. */
  readonly #starts: number[] = []
  #length = 0
  /** The first piece of the latest group. */
  #group = 0
  /** Of the latest group, in bytes: buffers that it keeps, and its pieces. */
  #cost = 0

  /** Bytes. */
  get length(): number {
    return this.#length
  }

  /** Adds bytes that nobody changes any more. Their buffer is kept, unless few bytes keep much memory. */
  append(bytes: Uint8Array): void {
    const last = this.#pieces.at(-1)
    this.#starts.push(this.#length)
    this.#pieces.push(bytes)
    this.#length += bytes.length
    // What comes over a network comes as several pieces of one buffer.
    this.#cost += last?.buffer === bytes.buffer ? pieceCost : pieceCost + bytes.buffer.byteLength
    if (this.#cost >= groupCost) this.#endGroup()
  }

  /** Nothing is appended any more. */
  seal(): void {
    if (this.#group < this.#pieces.length) this.#endGroup()
  }

  /** Copies the pieces of a group that costs more than twice its bytes. */
  #endGroup(): void {
    const start = this.#starts[this.#group] as number
    if ((this.#length - start) * 2 < this.#cost) this.#join()
    this.#group = this.#pieces.length
    this.#cost = 0
  }

  #join(): void {
    const before = this.#pieces[this.#group - 1]
    const from = before !== undefined && before.length < shortBytes ? this.#group - 1 : this.#group
    const start = this.#starts[from] as number
    const joined = Buffer.allocUnsafeSlow(this.#length - start)
    let at = 0
    for (const piece of this.#pieces.splice(from)) {
      joined.set(piece, at)
      at += piece.length
    }
    this.#starts.length = from
    this.#starts.push(start)
    this.#pieces.push(joined)
  }

  /** The bytes from `start` up to `end`, which must not be changed. */
  *slices(start: number, end: number): Generator<Uint8Array> {
    for (let index = this.#pieceAt(start), at = start; at < end; ) {
      const piece = this.#pieces[index] as Uint8Array
      const from = at - (this.#starts[index] as number)
      const slice = piece.subarray(from, from + Math.min(sliceBytes, end - at))
      yield slice
      at += slice.length
      if (from + slice.length === piece.length) index++
    }
  }

  /** The piece that holds the byte at this offset. */
  #pieceAt(offset: number): number {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#starts[middle] as number) <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  /** A copy of all bytes. */
  join(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#pieces))
  }
}
