/** Bounds the calls under way, in number and in bytes. */

const maxBytes = 8 * 1024 * 1024
const maxCalls = 4000

export class SendWindow {
  #bytes = 0
  #calls = 0
  #failure: { readonly error: unknown } | undefined
  #wake: () => void = () => {}

  /** Begins a call as soon as there is room for it. @throws the error of an earlier call */
  async begin(bytes: number, call: () => Promise<void>): Promise<void> {
    await this.#until(() => this.#bytes < maxBytes && this.#calls < maxCalls)
    this.#bytes += bytes
    this.#calls++
    void call()
      .catch((error) => {
        this.#failure ??= { error }
      })
      .then(() => {
        this.#bytes -= bytes
        this.#calls--
        this.#wake()
      })
  }

  /** Resolves when all calls have ended. @throws the error of the first that failed, without waiting for the others */
  async end(): Promise<void> {
    await this.#until(() => this.#calls === 0)
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (this.#failure === undefined && !isSo()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
