/** Chunks on their way from the stream that brings them to their one reader. */

export class ChunkQueue {
  readonly #capacityBytes: number
  readonly #chunks: Uint8Array[] = []
  #bytes = 0
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined
  #writer: (() => void) | undefined
  #ending: { readonly error: unknown } | undefined

  /** Bytes that may wait for the reader; the writer waits beyond them. */
  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes
  }

  /** Undefined = there is room for the next one, or somebody waited for this one. */
  put(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#reader !== undefined) {
      this.#reader.resolve(chunk)
      this.#reader = undefined
      return undefined
    }
    // The reader is gone: the writer is told by its signal.
    if (this.#ending !== undefined) return undefined
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes <= this.#capacityBytes) return undefined
    return new Promise((resolve) => {
      this.#writer = resolve
    })
  }

  /** The next chunk; undefined = there is none after the last. Called again when it has resolved. */
  take(): Promise<Uint8Array | undefined> {
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) {
      this.#bytes -= chunk.length
      if (this.#bytes <= this.#capacityBytes) this.#wakeWriter()
      return Promise.resolve(chunk)
    }
    if (this.#ending === undefined) {
      this.#reader ??= Promise.withResolvers()
      return this.#reader.promise
    }
    const { error } = this.#ending
    return error === undefined ? Promise.resolve(undefined) : Promise.reject(error)
  }

  /** No chunk follows: the reader gets those that wait, and then the error, if there is one. */
  end(error?: unknown): void {
    this.#ending ??= { error }
    this.#wakeWriter()
    if (this.#reader === undefined) return
    if (error === undefined) this.#reader.resolve(undefined)
    else this.#reader.reject(error)
    this.#reader = undefined
  }

  #wakeWriter(): void {
    this.#writer?.()
    this.#writer = undefined
  }
}
