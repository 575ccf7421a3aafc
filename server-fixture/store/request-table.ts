/** The outcomes of keyed writes, in memory: the newest of them, within a bound. */
import { type KeyedRequest, KeyRemembered, type RememberedOutcome } from './store.ts'

/** About 30 MB with outcomes of ordinary length. */
const maxRemembered = 100_000
/** Of outcomes, in characters: an atomic batch may have a long one. */
const maxCharacters = 64 * 1024 * 1024
/** What a server that takes 1,600 keyed writes a second can promise within that bound. */
const seconds = 60

/** Forgets the oldest first. */
export class RequestTable {
  readonly seconds = seconds
  readonly #outcomes = new Map<string, RememberedOutcome>()
  #characters = 0

  recall(repository: string, key: string): RememberedOutcome | undefined {
    return this.#outcomes.get(placeOf(repository, key))
  }

  /** @throws KeyRemembered */
  checkNew(repository: string, requests: readonly KeyedRequest[]): void {
    for (const { key } of requests) if (this.recall(repository, key)) throw new KeyRemembered(key)
  }

  /** The first outcome of a key stays. */
  remember(repository: string, requests: readonly KeyedRequest[]): void {
    for (const { key, digest, outcome } of requests) {
      const place = placeOf(repository, key)
      if (this.#outcomes.has(place)) continue
      this.#outcomes.set(place, { digest, outcome })
      this.#characters += outcome.length
      while (this.#outcomes.size > maxRemembered || this.#characters > maxCharacters) this.#forgetOldest()
    }
  }

  #forgetOldest(): void {
    const [oldest] = this.#outcomes
    if (oldest === undefined) return
    this.#characters -= oldest[1].outcome.length
    this.#outcomes.delete(oldest[0])
  }
}

/** Neither names nor keys hold a line feed. */
const placeOf = (repository: string, key: string) => `${repository}\n${key}`
