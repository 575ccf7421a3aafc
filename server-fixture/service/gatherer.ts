/** Turns single questions that are asked in the same turn of the event loop into one question to the store. */
export class Gatherer<Answer> {
  readonly #ask: (keys: string[]) => Promise<Answer[]>
  #waiting: { key: string; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = []

  constructor(ask: (keys: string[]) => Promise<Answer[]>) {
    this.#ask = ask
  }

  get(key: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject })
      if (this.#waiting.length === 1) queueMicrotask(() => this.#send())
    })
  }

  async #send(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    try {
      const answers = await this.#ask(waiting.map(({ key }) => key))
      for (const [index, { resolve }] of waiting.entries()) resolve(answers[index] as Answer)
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }
}
