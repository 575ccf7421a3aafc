/** The trees of commits on which others were made of late: the next commit of a branch begins with that of its head. */
import { BoundedCache } from '../store/bounded-cache.ts'
import type { RepositoryInfo } from '../store/store.ts'
import { keyOf } from './repository-identity.ts'

/** Some 50,000 branches. */
const bounds = { maxBytes: 16 * 1024 * 1024, maxAgeMs: 10 * 60_000 }
const entryBytes = 320

/** Oids of trees by repository and commit; nothing is ever out of date, because an oid names its content. */
export class HeadCache {
  readonly #trees = new BoundedCache<string>(bounds)

  get(repository: RepositoryInfo, commit: string): string | undefined {
    return this.#trees.get(keyOf(repository, commit))
  }

  add(repository: RepositoryInfo, commit: string, tree: string): void {
    this.#trees.set(keyOf(repository, commit), tree, entryBytes)
  }
}
