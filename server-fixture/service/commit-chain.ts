/** Commits on one branch that wait together become a chain: one write of objects, one move of the branch. */
import { setImmediate } from 'node:timers/promises'
import type { Messages } from '../../src/schema/messages.ts'
import { KeyRemembered, type RefMove } from '../store/store.ts'
import type { WaitingCommit } from './branch-queue.ts'
import { commitOn, moveTo } from './commit-on-head.ts'
import { refMismatch } from './errors.ts'
import { keyedRequest } from './request-keys.ts'
import { eventOf, Workspace, type WorkspaceContext } from './workspace.ts'
import { startWrite } from './write-start.ts'

type Response = Messages['CommitFilesResponse']

/** Times that a chain is made again because others, such as git itself, have moved its branch. */
const maxRaces = 100
/** Commits that are made between two turns of the event loop. */
const commitsAtOnce = 16
/** A chain has callers of its own each, and goes on where some of them have gone. */
const unending = { signal: new AbortController().signal, requestId: '' }

/** A commit of a chain. */
interface Link {
  readonly commit: WaitingCommit
  readonly response: Response
  readonly move: RefMove
}

/** A request that has no commit in the chain. */
interface Refusal {
  readonly commit: WaitingCommit
  readonly error: unknown
  /** The error tells of a head that is there only once the branch has moved. */
  readonly isOnChain: boolean
}

/** Thrown before the move of a chain of which somebody no longer waits: it is made again without them. */
class Abandoned extends Error {}

/** Makes a chain of commits on top of the branch, in this order, and settles each of them. Never rejects. */
export async function makeChain(
  context: WorkspaceContext,
  ref: string,
  commits: readonly WaitingCommit[]
): Promise<void> {
  try {
    await new ChainMaker(context, ref, commits).run()
  } catch (error) {
    for (const { reject } of commits) reject(error)
  }
}

class ChainMaker {
  readonly #context: WorkspaceContext
  readonly #ref: string
  #commits: readonly WaitingCommit[]
  #links: Link[] = []
  #refusals: Refusal[] = []

  constructor(context: WorkspaceContext, ref: string, commits: readonly WaitingCommit[]) {
    this.#context = context
    this.#ref = ref
    this.#commits = commits
  }

  async run(): Promise<void> {
    let races = 0
    while (this.#dropAbandoned().length > 0) {
      const workspace = await this.#build()
      try {
        const mismatches = await this.#move(workspace)
        if (mismatches.length === 0) return await this.#finish(workspace)
        if (races++ >= maxRaces) return this.#settle(refMismatch(mismatches))
      } catch (error) {
        if (!(error instanceof Abandoned)) return this.#settle(error)
      }
    }
  }

  /** Leaves out the commits that nobody waits for any more. Returns the others. */
  #dropAbandoned(): readonly WaitingCommit[] {
    this.#commits = this.#commits.filter((commit) => {
      const error = abandonment(commit)
      if (error !== undefined) commit.reject(error)
      return error === undefined
    })
    return this.#commits
  }

  /** Leaves out the commits that were made before, by this server or another one. */
  #dropRemembered(keys: ReadonlySet<string>): void {
    if (keys.size === 0) return
    this.#commits = this.#commits.filter(({ key, reject }) => {
      const isKnown = key !== undefined && keys.has(key.key)
      if (isKnown) reject(new KeyRemembered(key.key))
      return !isKnown
    })
  }

  /** Makes all commits, each on top of the one before it; the first on top of the head that is found. */
  async #build(): Promise<Workspace> {
    const { store, repository } = this.#context
    const keys = this.#commits.flatMap(({ key }) => key?.key ?? [])
    // The repository may have been deleted, and made anew with another object format, while the commits waited.
    const { info, oids, remembered } = await startWrite(store, repository.repository, { refs: [this.#ref], keys })
    this.#dropRemembered(new Set(keys.filter((_key, index) => remembered[index] !== undefined)))
    const workspace = new Workspace({ ...this.#context, repository: info, caller: unending }, false)
    this.#links = []
    this.#refusals = []
    let [head] = oids
    for (const [index, commit] of this.#commits.entries()) {
      if (index % commitsAtOnce === commitsAtOnce - 1) await setImmediate()
      const staged = workspace.stagedCount
      try {
        const response = await commitOn(workspace, commit.request, head)
        this.#links.push({ commit, response, move: moveTo(response, workspace.format) })
        head = response.oid
      } catch (error) {
        workspace.unstage(staged)
        this.#refusals.push({ commit, error, isOnChain: this.#links.length > 0 })
      }
    }
    return workspace
  }

  /** Stores the commits, and moves the branch from the head that was found to the end of the chain. */
  async #move(workspace: Workspace) {
    const throwIfAbandoned = () => {
      if (this.#commits.some((commit) => abandonment(commit) !== undefined)) throw new Abandoned()
    }
    throwIfAbandoned()
    const first = this.#links[0]?.move
    const last = this.#links.at(-1)?.move
    if (first === undefined || last === undefined) return []
    const requests = this.#links.flatMap(({ commit, response, move }) =>
      commit.key ? [keyedRequest(commit.key, response, [move])] : []
    )
    const events = this.#links.map(({ commit, move }) => eventOf(commit.requestId, [move]))
    return workspace.move([{ ...first, newOid: last.newOid }], { requests, events, throwIfAbandoned })
  }

  /** The branch has moved. */
  async #finish(workspace: Workspace): Promise<void> {
    const last = this.#links.at(-1)?.response
    // A hint for the next chain, which would ask the store otherwise.
    if (last) await workspace.keepHead(last.oid, last.tree).catch(() => undefined)
    this.#settle()
  }

  /** Answers all callers; with an error, the branch has not moved. */
  #settle(failure?: unknown): void {
    for (const { commit, error, isOnChain } of this.#refusals) {
      commit.reject(isOnChain && failure !== undefined ? failure : error)
    }
    for (const { commit, response } of this.#links) {
      if (failure === undefined) commit.resolve(response)
      else commit.reject(failure)
    }
  }
}

/** The error of a commit that nobody waits for any more; undefined = somebody does. */
function abandonment({ throwIfAbandoned }: WaitingCommit): unknown {
  try {
    throwIfAbandoned()
    return undefined
  } catch (error) {
    return error
  }
}
