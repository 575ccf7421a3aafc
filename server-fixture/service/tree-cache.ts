/** The trees that calls have read of late, so that a directory that many of them pass is read and parsed once. */
import { BoundedCache, type CacheBounds, shareOfMemory } from '../store/bounded-cache.ts'
import type { RepositoryInfo } from '../store/store.ts'
import type { ParsedTree } from './parsed-tree.ts'
import { keyOf } from './repository-identity.ts'

const defaultBounds: CacheBounds = { maxBytes: shareOfMemory(1 / 16, 64 * 1024 * 1024), maxAgeMs: 10 * 60_000 }

/** Trees by repository and oid. Nothing is ever out of date, because an oid names its content. */
export class TreeCache {
  readonly #trees: BoundedCache<ParsedTree>
  readonly #loading = new Map<string, Promise<ParsedTree>>()

  constructor(bounds = defaultBounds) {
    this.#trees = new BoundedCache(bounds)
  }

  /** A tree; concurrent calls that miss it share one `load`, which must not end with the call that passes it. */
  async get(repository: RepositoryInfo, oid: string, load: () => Promise<ParsedTree>): Promise<ParsedTree> {
    const key = keyOf(repository, oid)
    const kept = this.#trees.get(key)
    if (kept) return kept
    const loading = this.#loading.get(key)
    if (loading === undefined) return this.#load(key, load)
    try {
      return await loading
    } catch {
      // The other call may have asked before this one's tree was stored.
      return load()
    }
  }

  /** Keeps a tree that is stored. */
  add(repository: RepositoryInfo, oid: string, tree: ParsedTree): void {
    this.#trees.set(keyOf(repository, oid), tree, tree.bytes)
  }

  async #load(key: string, load: () => Promise<ParsedTree>): Promise<ParsedTree> {
    const loading = load()
    this.#loading.set(key, loading)
    try {
      const tree = await loading
      this.#trees.set(key, tree, tree.bytes)
      return tree
    } finally {
      this.#loading.delete(key)
    }
  }
}
