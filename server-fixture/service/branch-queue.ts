/** Queues of commits, one for each branch: commits that wait at the same time become one chain. */
import type { Messages } from '../../src/schema/messages.ts'
import type { QueueFigures } from '../metrics/snapshot.ts'
import type { WriteKey } from './request-keys.ts'

/** A commit that waits for its turn, or has it. */
export interface WaitingCommit {
  readonly request: Messages['CommitFilesRequest']
  /** The key under which the commit is remembered, together with the move of the branch. */
  readonly key: WriteKey | undefined
  /** Of the call or operation that wants the commit. */
  readonly requestId: string
  /** @throws BlobwireError where nobody waits for the answer any more */
  readonly throwIfAbandoned: () => void
  resolve(response: Messages['CommitFilesResponse']): void
  reject(error: unknown): void
}

/** Makes a chain of commits in this order, and settles each of them. Never rejects. */
export type MakeChain = (commits: readonly WaitingCommit[]) => Promise<void>

/** The branch that a commit is made on. */
export interface Branch {
  readonly repository: string
  readonly ref: string
}

/** Commits of one chain. More would keep the first of them waiting for long. */
const maxCommits = 1000
/** Contents of one chain, which are in memory twice while they are stored. */
const maxChainBytes = 64 * 1024 * 1024

/** The queues of a service. A queue is there while a commit of its branch waits or is being made. */
export class BranchQueues {
  readonly #queues = new Map<string, WaitingCommit[]>()

  /** The number of branches that have a queue. */
  get size(): number {
    return this.#queues.size
  }

  figures(): Omit<QueueFigures, 'decoding'> {
    let commits = 0
    for (const queue of this.#queues.values()) commits += queue.length
    return { branches: this.#queues.size, commits }
  }

  /** Adds a commit at the end of its branch's queue. */
  add({ repository, ref }: Branch, commit: WaitingCommit, makeChain: MakeChain): void {
    // Neither names of repositories nor of refs hold a line feed.
    const place = `${repository}\n${ref}`
    const queue = this.#queues.get(place)
    if (queue) {
      queue.push(commit)
      return
    }
    this.#queues.set(place, [commit])
    // All calls that have come already join the first chain, not the second.
    setImmediate(() => this.#run(place, makeChain))
  }

  async #run(place: string, makeChain: MakeChain): Promise<void> {
    const queue = this.#queues.get(place) as WaitingCommit[]
    while (queue.length > 0) await makeChain(queue.splice(0, chainLength(queue)))
    this.#queues.delete(place)
  }
}

/** The number of commits at the front of the queue that become the next chain; at least one. */
function chainLength(queue: readonly WaitingCommit[]): number {
  let bytes = 0
  let length = 0
  for (const { request } of queue.slice(0, maxCommits)) {
    for (const { content, guarded } of request.changes) bytes += (content ?? guarded?.content)?.length ?? 0
    if (length > 0 && bytes > maxChainBytes) break
    length++
  }
  return length
}
