/** Reads the commits of a walk, many at a time where the store can tell which come next. */
import { type ParsedCommit, parseCommit } from '../../src/git/commit.ts'
import { contentOf } from './object-content.ts'
import type { Workspace } from './workspace.ts'

/** Larger commits are read when their turn comes. */
const maxAheadBytes = 4 * 1024
/** Bounds for a batch of commits that are read ahead; fewer are read one by one. */
const batches = { least: 16, most: 2048 }
/** Commits that were read and are not visited yet; more than these are read again. */
const maxAhead = 4096
/** From more commits, the store is not asked which ones come next. */
const maxTips = 1024

/** A commit and its bytes. */
export interface ReadCommit extends ParsedCommit {
  readonly oid: string
  readonly raw: Uint8Array
}

export class CommitReader {
  /** Commits that come soon, in the order in which they were read. */
  readonly #ahead = new Map<string, ReadCommit>()
  #batch: number

  /** @param expected how many commits will be read, as far as the caller knows */
  constructor(expected: number) {
    this.#batch = expected
  }

  /** Estimated memory in bytes. */
  get bytes(): number {
    let bytes = 0
    for (const { raw } of this.#ahead.values()) bytes += 3 * raw.length + 500
    return bytes
  }

  /** The commits that were read ahead. */
  get ahead(): Iterable<ReadCommit> {
    return this.#ahead.values()
  }

  /** @param tips the commits that the walk has found and not visited: where this one has to be read, so have others */
  async read(workspace: Workspace, oid: string, tips: () => readonly string[]): Promise<ReadCommit> {
    const kept = this.#ahead.get(oid)
    if (kept) return kept
    await this.#readAhead(workspace, [...new Set([oid, ...tips()])])
    const read = this.#ahead.get(oid) ?? { ...(await workspace.commit(oid)), oid }
    // It is visited later, in most cases soon.
    this.#keep(read)
    return read
  }

  /** The commit is visited, and not read again. */
  release(oid: string): void {
    this.#ahead.delete(oid)
  }

  #keep(commit: ReadCommit): void {
    if (commit.raw.length > maxAheadBytes) return
    this.#ahead.set(commit.oid, commit)
    const [oldest] = this.#ahead.keys()
    if (this.#ahead.size > maxAhead && oldest !== undefined) this.#ahead.delete(oldest)
  }

  async #readAhead(workspace: Workspace, tips: readonly string[]): Promise<void> {
    const { store, repository, format } = workspace
    const batch = Math.min(this.#batch, batches.most)
    const isFull = this.#ahead.size - tips.length > batch / 2
    if (store.commitsFrom === undefined || isFull || tips.length > maxTips) return
    this.#batch = batch * 2
    if (batch < batches.least) return
    const oids = await store.commitsFrom(repository.repository, tips, batch)
    const wanted = oids.filter((oid) => !this.#ahead.has(oid))
    const objects = await store.readObjects(repository.repository, wanted, maxAheadBytes)
    for (const [index, object] of objects.entries()) {
      const oid = wanted[index] as string
      // The others fail, or are read, when their turn comes.
      if (object?.kind !== 'commit' || object.content === undefined) continue
      const raw = contentOf({ oid, kind: 'commit', format }, object)
      this.#keep({ ...parseCommit(raw), oid, raw })
    }
  }
}
