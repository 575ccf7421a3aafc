/** Batchers of calls with tokens of their own: a session authenticates once, so that each token has a session. */
import type { Batcher } from '../batch/batcher.ts'

/** Tokens with a session at one endpoint. Calls with further ones go as requests of their own while all are in use. */
const maxTokens = 32

export class TokenBatchers {
  readonly #make: (token: string) => Batcher
  /** The one that was used last is last. */
  readonly #batchers = new Map<string, Batcher>()

  constructor(make: (token: string) => Batcher) {
    this.#make = make
  }

  /** The batcher of a token; undefined = there are too many in use. */
  of(token: string): Batcher | undefined {
    const known = this.#batchers.get(token)
    if (known === undefined && this.#batchers.size >= maxTokens && !this.#closeIdle()) return undefined
    const batcher = known ?? this.#make(token)
    this.#batchers.delete(token)
    this.#batchers.set(token, batcher)
    return batcher
  }

  /** Ends the sessions on which nothing is under way. */
  async endIdle(): Promise<void> {
    await Promise.all([...this.#batchers.values()].map((batcher) => batcher.endIdle()))
  }

  moveWatches(): void {
    for (const batcher of this.#batchers.values()) batcher.moveWatches()
  }

  close(): void {
    for (const batcher of this.#batchers.values()) batcher.close()
    this.#batchers.clear()
  }

  /** Closes the session that was idle for longest. False = all are in use. */
  #closeIdle(): boolean {
    for (const [token, batcher] of this.#batchers) {
      if (!batcher.isIdle) continue
      batcher.close()
      return this.#batchers.delete(token)
    }
    return false
  }
}
