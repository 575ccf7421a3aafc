/** Content in blocks of one length, so that it may be larger than any buffer, and grows without being copied. */

const blockBytes = 256 * 1024

export class BlockList {
  readonly #blocks: Uint8Array[] = []
  #length = 0

  /** Bytes. */
  get length(): number {
    return this.#length
  }

  /** Copies the bytes to the end. */
  append(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const at = this.#length % blockBytes
      if (at === 0) this.#blocks.push(Buffer.allocUnsafeSlow(blockBytes))
      const piece = bytes.subarray(from, from + blockBytes - at)
      ;(this.#blocks.at(-1) as Uint8Array).set(piece, at)
      from += piece.length
      this.#length += piece.length
    }
  }

  /** Nothing is appended any more: frees the room behind the end. */
  seal(): void {
    const rest = this.#length % blockBytes
    if (rest > 0) this.#blocks.push(new Uint8Array((this.#blocks.pop() as Uint8Array).subarray(0, rest)))
  }

  /** The bytes from `start` up to `end`, which must not be changed. */
  *slices(start: number, end: number): Generator<Uint8Array> {
    for (let at = start; at < end; ) {
      const from = at % blockBytes
      const piece = (this.#blocks[(at - from) / blockBytes] as Uint8Array).subarray(from, from + end - at)
      yield piece
      at += piece.length
    }
  }

  /** A copy of all bytes. */
  join(): Uint8Array {
    return new Uint8Array(Buffer.concat([...this.slices(0, this.#length)]))
  }
}
