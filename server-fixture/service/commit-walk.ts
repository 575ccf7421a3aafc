/** Walks history as `git log` does by default. Source: git-log(1), "Commit Ordering" and "History Simplification". */
import { CommitHeap } from './commit-heap.ts'
import { CommitReader, type ReadCommit } from './commit-reader.ts'
import type { LogPosition, WaitingWalk } from './kept-walks.ts'
import type { Pace } from './pace.ts'
import { passedOver, type Step, type Walk } from './paging.ts'
import { PathContents } from './path-contents.ts'
import type { Workspace } from './workspace.ts'

/** Estimated memory of the oid of a visited commit, and of a found one. */
const seenBytes = 80
const foundBytes = 300

/**
 * The commits reachable from one, newest first. As long as no commit has had two parents to follow, the walk is where
 * one that began at its next commit would be; it moves its start there, and remembers nothing. From then on, only a walk
 * from the start tells which commits were visited.
 */
export class CommitWalk implements Walk<ReadCommit>, WaitingWalk {
  readonly path: string
  readonly #heap = new CommitHeap()
  readonly #reader: CommitReader
  readonly #contents: PathContents
  /** Commits that were found since the start, by the bytes of their oids. */
  readonly #seen = new Set<string>()
  /** Commits at which the history ends. */
  #shallow: ReadonlySet<string> | undefined
  #caller: Workspace | undefined
  #start: string
  #visited = 0
  #found = 0
  /** Commits to be added before the next one is chosen. */
  #toAdd: readonly string[]
  #peeked: { readonly commit: ReadCommit; readonly isShown: boolean; readonly follow: readonly string[] } | undefined

  /** @param options `expected` is how many commits will be read, as far as the caller knows */
  constructor(workspace: Workspace, { start, path, expected }: { start: string; path: string; expected: number }) {
    this.#caller = workspace
    this.#start = start
    this.#reader = new CommitReader(expected)
    this.path = path
    this.#contents = new PathContents(path)
    this.#toAdd = [start]
  }

  get position(): LogPosition {
    return { start: this.#start, visited: this.#visited }
  }

  /** Estimated memory in bytes. */
  get bytes(): number {
    return this.#seen.size * seenBytes + this.#heap.size * foundBytes + this.#reader.bytes + this.#contents.bytes
  }

  /** The walk goes on for another call; undefined = it waits for one. */
  resume(workspace: Workspace | undefined): void {
    this.#caller = workspace
  }

  get #workspace(): Workspace {
    if (this.#caller === undefined) throw new Error('nobody has resumed the walk')
    return this.#caller
  }

  /** Visits so many commits, or fewer where the page is over. Returns how many are left. */
  async seek(count: number, pace: Pace): Promise<number> {
    let left = count
    for (; left > 0 && !pace.isOver; left--) {
      if ((await this.peek()) === undefined) return 0
      this.advance()
      await pace.step(true)
    }
    return left
  }

  peek(): Step<ReadCommit> | Promise<Step<ReadCommit>> {
    return this.#peeked !== undefined || this.#peekAtHand() ? this.#step() : this.#peek()
  }

  advance(): void {
    if (this.#peeked === undefined) return
    const { commit, follow } = this.#peeked
    this.#peeked = undefined
    this.#heap.pop()
    this.#reader.release(commit.oid)
    this.#toAdd = follow
    this.#visited++
    const isStraight = this.#seen.size === 0
    if (!isStraight) return
    const [next] = follow
    if (follow.length === 1 && next !== undefined) {
      this.#start = next
      this.#visited = 0
    } else if (follow.length > 1) {
      this.#start = commit.oid
      this.#visited = 1
      this.#seen.add(keyOf(commit.oid))
    }
  }

  #step(): Step<ReadCommit> {
    return this.#peeked?.isShown ? this.#peeked.commit : passedOver
  }

  /** Most steps wait for nothing, because their commits were read ahead. False = this one waits. */
  #peekAtHand(): boolean {
    if (this.path !== '' || this.#shallow === undefined) return false
    for (let [oid] = this.#toAdd; oid !== undefined; [oid] = this.#toAdd) {
      if (this.#isNew(oid)) {
        const commit = this.#reader.atHand(this.#workspace, oid)
        if (commit === undefined) return false
        this.#add(commit)
      }
      this.#toAdd = this.#toAdd.slice(1)
    }
    const next = this.#heap.peek()
    const commit = next && this.#reader.atHand(this.#workspace, next.oid)
    if (commit === undefined) return false
    this.#peeked = { commit, isShown: true, follow: this.#shallow.has(commit.oid) ? [] : commit.parents }
    return true
  }

  async #peek(): Promise<Step<ReadCommit>> {
    await this.#addFound()
    const next = this.#heap.peek()
    if (next === undefined) return undefined
    const commit = await this.#read(next.oid)
    this.#peeked = { commit, ...(await this.#simplify(commit)) }
    return this.#step()
  }

  /** A walk that failed here goes on here. */
  async #addFound(): Promise<void> {
    for (let oid = this.#toAdd[0]; oid !== undefined; oid = this.#toAdd[0]) {
      if (this.#isNew(oid)) this.#add(await this.#read(oid))
      this.#toAdd = this.#toAdd.slice(1)
    }
  }

  #isNew(oid: string): boolean {
    return this.#seen.size === 0 || !this.#seen.has(keyOf(oid))
  }

  #add({ oid, date }: ReadCommit): void {
    this.#heap.push({ oid, date, number: this.#found++ })
    if (this.#seen.size > 0) this.#seen.add(keyOf(oid))
  }

  #read(oid: string): Promise<ReadCommit> {
    return this.#reader.read(this.#workspace, oid, () => [...this.#heap.oids, ...this.#toAdd])
  }

  /** Decides which parents to follow, and whether the commit itself changes the path. */
  async #simplify({ oid, tree, parents: stored }: ReadCommit) {
    this.#shallow ??= await this.#workspace.shallowCommits()
    const parents = this.#shallow.has(oid) ? [] : stored
    if (this.path === '') return { isShown: true, follow: parents }
    const contentAt = (root: string) => this.#contents.at(this.#workspace, root, this.#reader.ahead)
    const here = await contentAt(tree)
    for (const parent of parents) {
      // Same as one parent: the other side of a merge made no difference, and is skipped.
      if ((await contentAt((await this.#read(parent)).tree)) === here) return { isShown: false, follow: [parent] }
    }
    return { isShown: parents.length > 0 || here !== '', follow: parents }
  }
}

/** Half the memory of an oid's text, and no reference to the text that it was cut from. */
const keyOf = (oid: string) => Buffer.from(oid, 'hex').toString('latin1')
