/** Large blobs leave the event loop to others: calls beside a transfer would wait for megabytes of it to be hashed. */

/** Bytes of one transfer in one turn of the event loop: some 0.1 ms of work with SHA-1. */
const bytesPerTurn = 64 * 1024

/** Counts the bytes of one transfer. */
export class Turns {
  #bytes = 0

  /** Bytes have passed; the promise, if there is one, is resolved in the next turn, before which no more should pass. */
  pass(bytes: number): Promise<void> | undefined {
    this.#bytes += bytes
    if (this.#bytes < bytesPerTurn) return undefined
    this.#bytes = 0
    return new Promise((resolve) => setImmediate(resolve))
  }
}
