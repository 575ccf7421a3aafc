/** Loads single keys together, as DataLoader does: keys of the same microtask become one question to the store. */
export class Loader<Value> {
  readonly #loadMany: (keys: string[]) => Promise<Value[]>
  #waiting: { key: string; resolve: (value: Value) => void; reject: (error: unknown) => void }[] = []

  constructor(loadMany: (keys: string[]) => Promise<Value[]>) {
    this.#loadMany = loadMany
  }

  load(key: string): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject })
      if (this.#waiting.length === 1) queueMicrotask(() => this.#send())
    })
  }

  async #send(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    try {
      const values = await this.#loadMany(waiting.map(({ key }) => key))
      for (const [index, { resolve }] of waiting.entries()) resolve(values[index] as Value)
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }
}
