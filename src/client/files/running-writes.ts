/** Writes of files that are under way, a bounded number at a time. */

export class RunningWrites {
  readonly #most: number
  #running = 0
  #failure: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(most: number) {
    this.#most = most
  }

  /** Begins the work as soon as there is room for it. @throws what earlier work threw */
  async add(work: () => Promise<void>): Promise<void> {
    while (this.#running >= this.#most && this.#failure === undefined) await this.#change()
    this.throwFailure()
    this.#running++
    work()
      .catch((error) => {
        this.#failure ??= { error }
      })
      .finally(() => {
        this.#running--
        this.#wake?.()
      })
  }

  /** Resolves when no work is under way. */
  get ended(): Promise<void> {
    return this.#end()
  }

  async #end(): Promise<void> {
    while (this.#running > 0) await this.#change()
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
