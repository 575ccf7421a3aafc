/** The outcomes of keyed writes, in memory: the newest of them, within a bound. */
import type { KeyedRequest, RememberedOutcome } from './store.ts'

/** About 30 MB with outcomes of ordinary length. */
const maxRemembered = 100_000
/** What a server that takes 1,600 keyed writes a second can promise within that bound. */
const seconds = 60

/** Forgets the oldest first. */
export class RequestTable {
  readonly seconds = seconds
  readonly #outcomes = new Map<string, RememberedOutcome>()

  recall(repository: string, key: string): RememberedOutcome | undefined {
    return this.#outcomes.get(placeOf(repository, key))
  }

  remember(repository: string, requests: readonly KeyedRequest[]): void {
    for (const { key, digest, outcome } of requests) {
      this.#outcomes.set(placeOf(repository, key), { digest, outcome })
      if (this.#outcomes.size > maxRemembered) this.#outcomes.delete(this.#outcomes.keys().next().value as string)
    }
  }
}

/** Neither names nor keys hold a line feed. */
const placeOf = (repository: string, key: string) => `${repository}\n${key}`
