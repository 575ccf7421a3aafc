/** The trees of commits on which others were made of late: the next commit of a branch begins with that of its head. */
import { BoundedCache } from '../store/bounded-cache.ts'

/** Some 50,000 branches. */
const bounds = { maxBytes: 16 * 1024 * 1024, maxAgeMs: 10 * 60_000 }
const entryBytes = 320

/** Oids of trees by repository and commit; nothing is ever out of date, because an oid names its content. */
export class HeadCache {
  readonly #trees = new BoundedCache<string>(bounds)

  get(repository: string, commit: string): string | undefined {
    return this.#trees.get(keyOf(repository, commit))
  }

  add(repository: string, commit: string, tree: string): void {
    this.#trees.set(keyOf(repository, commit), tree, entryBytes)
  }

  /** Forgets the commits of a deleted repository. */
  forget(repository: string): void {
    this.#trees.deleteAll(keyOf(repository, ''))
  }
}

/** Names of repositories hold no line feed. */
const keyOf = (repository: string, oid: string) => `${repository}\n${oid}`
