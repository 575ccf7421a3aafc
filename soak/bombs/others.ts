/** Callers who do nothing wrong, and the time that they wait. */
import type { Client } from '../../src/index.ts'

/** Milliseconds between two calls of one client. */
const everyMs = 5

/** The number below which so large a part of the numbers is. */
export function quantile(numbers: readonly number[], part: number): number {
  const sorted = numbers.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}

/** One call after the other from each client, at a fixed pace: a late answer does not delay the next call. */
export class Others {
  readonly #clients: readonly Client[]
  readonly #calls = new Set<Promise<void>>()
  #waitedMs: number[] = []
  #timer: NodeJS.Timeout | undefined
  #turn = 0

  constructor(clients: readonly Client[]) {
    this.#clients = clients
  }

  start(): void {
    this.#waitedMs = []
    this.#timer = setInterval(() => {
      for (const client of this.#clients) {
        const call = this.#call(client).finally(() => this.#calls.delete(call))
        this.#calls.add(call)
      }
    }, everyMs)
  }

  /** The time of each call since the start. @throws the error of a call */
  async stop(): Promise<number[]> {
    clearInterval(this.#timer)
    await Promise.all(this.#calls)
    return this.#waitedMs
  }

  async #call(client: Client): Promise<void> {
    const began = performance.now()
    await client.storeBlob('demo', `content ${this.#turn++}`)
    this.#waitedMs.push(performance.now() - began)
  }
}
