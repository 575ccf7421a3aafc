/** Back-pressure of a body that is being sent. */

/** Bytes that a stream may hold: those it sends, and those that follow at once. */
const maxHeldBytes = 512 * 1024

/** Counts the bytes that a stream holds. */
export class HeldBytes {
  #bytes = 0
  #wake: (() => void) | undefined
  #isStopped = false

  /** The stream holds more bytes; the promise, if there is one, is resolved once there is room again. */
  add(bytes: number): Promise<void> | undefined {
    this.#bytes += bytes
    if (this.#bytes < maxHeldBytes || this.#isStopped) return undefined
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** The connection has taken bytes. */
  taken(bytes: number): void {
    this.#bytes -= bytes
    if (this.#bytes < maxHeldBytes) this.#wake?.()
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#isStopped = true
    this.#wake?.()
  }
}
