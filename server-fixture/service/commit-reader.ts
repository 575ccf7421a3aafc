/** Reads the commits of a walk, many at a time where the store can tell which come next. */
import { type ParsedCommit, parseCommit } from '../../src/git/commit.ts'
import { contentOf } from './object-content.ts'
import type { Workspace } from './workspace.ts'

/** Larger commits are read when their turn comes. */
const maxAheadBytes = 4 * 1024
/** Bounds for the commits that the store is asked to list at once; fewer are read one by one. */
const lists = { least: 16, most: 16_384, growth: 160 }
/** Commits that are read at once. */
const chunk = 2048
/** Commits that were read and are not visited yet; more than these are read again. */
const maxAhead = 8192
/** From more commits, the store is not asked which ones come next. */
const maxTips = 1024

/** A commit and its bytes. */
export interface ReadCommit extends ParsedCommit {
  readonly oid: string
  readonly raw: Uint8Array
}

/**
 * Where the store tells which commits come next, they are read in chunks, the next of which is on its way while the walk
 * visits the one before.
 */
export class CommitReader {
  /** Commits that come soon, in the order in which they were read. */
  readonly #ahead = new Map<string, ReadCommit>()
  /** The oids of those that come after them. */
  #coming: string[] = []
  #listSize: number
  #loading: Promise<void> | undefined

  /** @param expected how many commits will be read, as far as the caller knows */
  constructor(expected: number) {
    this.#listSize = expected
  }

  /** Estimated memory in bytes. */
  get bytes(): number {
    let bytes = this.#coming.length * 60
    for (const { raw } of this.#ahead.values()) bytes += 3 * raw.length + 500
    return bytes
  }

  /** The commits that were read ahead. */
  get ahead(): Iterable<ReadCommit> {
    return this.#ahead.values()
  }

  /** @param tips the commits that the walk has found and not visited: where this one has to be read, so have others */
  async read(workspace: Workspace, oid: string, tips: () => readonly string[]): Promise<ReadCommit> {
    if (!this.#ahead.has(oid)) await this.#readAhead(workspace, oid, tips)
    const read = this.atHand(workspace, oid) ?? { ...(await workspace.commit(oid)), oid }
    // It is visited later, in most cases soon.
    this.#keep(read)
    return read
  }

  /** The commit, where it was read ahead; the next ones are read meanwhile. */
  atHand(workspace: Workspace, oid: string): ReadCommit | undefined {
    if (this.#ahead.size < chunk) void this.#load(workspace)
    return this.#ahead.get(oid)
  }

  /** The commit is visited, and not read again. */
  release(oid: string): void {
    this.#ahead.delete(oid)
  }

  #keep(commit: ReadCommit): void {
    if (commit.raw.length > maxAheadBytes) return
    this.#ahead.set(commit.oid, commit)
    if (this.#ahead.size <= maxAhead) return
    const [oldest] = this.#ahead.keys()
    if (oldest !== undefined) this.#ahead.delete(oldest)
  }

  async #readAhead(workspace: Workspace, oid: string, tips: () => readonly string[]): Promise<void> {
    await this.#loading
    if (this.#ahead.has(oid) || this.#ahead.size > 2 * chunk) return
    if (this.#coming.length === 0) await this.#list(workspace, [...new Set([oid, ...tips()])])
    await this.#load(workspace)
  }

  async #list({ store, repository }: Workspace, tips: readonly string[]): Promise<void> {
    const isWide = tips.length > maxTips || this.#ahead.size - tips.length > chunk / 2
    if (store.commitsFrom === undefined || isWide) return
    const size = Math.min(this.#listSize, lists.most)
    this.#listSize = size * lists.growth
    if (size >= lists.least) this.#coming = await store.commitsFrom(repository.repository, tips, size)
  }

  /** Reads the next chunk, unless one is being read. Failures are those of the commits when their turn comes. */
  #load(workspace: Workspace): Promise<void> {
    if (this.#loading === undefined && this.#coming.length > 0) {
      this.#loading = this.#loadChunk(workspace)
        .catch(() => undefined)
        .finally(() => {
          this.#loading = undefined
        })
    }
    return this.#loading ?? Promise.resolve()
  }

  async #loadChunk({ store, repository, format }: Workspace): Promise<void> {
    const wanted = this.#coming.splice(0, chunk).filter((oid) => !this.#ahead.has(oid))
    const objects = await store.readObjects(repository.repository, wanted, maxAheadBytes)
    for (const [index, object] of objects.entries()) {
      const oid = wanted[index] as string
      if (object?.kind !== 'commit' || object.content === undefined) continue
      const raw = contentOf({ oid, kind: 'commit', format }, object)
      this.#keep({ ...parseCommit(raw), oid, raw })
    }
  }
}
