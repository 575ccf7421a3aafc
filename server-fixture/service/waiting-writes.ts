/**
 * Writes of a batch that follow each other and wait together, so that a store carries them out at once: commits of one
 * branch, which become a chain, and moves of different refs that exist and stay. None of them sees another one's effect.
 */
import { isZeroOid } from '../../src/git/oid.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { OperationName } from './operations.ts'
import { toMove } from './refs.ts'

/** The branch of a commit, or the refs that are moved. */
export type Joinable = { readonly branch: string } | { readonly refs: readonly string[] }

export class WaitingWrites {
  #branch: string | undefined
  readonly #refs = new Set<string>()
  #writes: unknown[] = []

  /** Whether an operation has to wait for those that wait. */
  holdsUp(joinable: Joinable | undefined): boolean {
    if (this.#writes.length === 0) return false
    if (joinable === undefined) return true
    if ('branch' in joinable) return joinable.branch !== this.#branch
    return this.#branch !== undefined || joinable.refs.some((ref) => this.#refs.has(ref))
  }

  add(joinable: Joinable, write: unknown): void {
    this.#writes.push(write)
    if ('branch' in joinable) this.#branch = joinable.branch
    else for (const ref of joinable.refs) this.#refs.add(ref)
  }

  /** Waits for all of them. */
  async end(): Promise<void> {
    const writes = this.#writes
    this.#writes = []
    this.#refs.clear()
    this.#branch = undefined
    await Promise.all(writes)
  }
}

/** What a write is that may wait together with others; undefined = it waits alone, or not at all. */
export function joinable(name: OperationName, request: object): Joinable | undefined {
  if (name === 'commitFiles') return { branch: (request as Messages['CommitFilesRequest']).branch }
  if (name === 'updateRefs') return movesOf(request as Messages['UpdateRefsRequest'])
  if (name !== 'apply') return undefined
  const { commitFiles, updateRefs } = request as Messages['KeyedOperation']
  if (commitFiles) return { branch: commitFiles.branch }
  return updateRefs && movesOf(updateRefs)
}

function movesOf({ updates }: Messages['UpdateRefsRequest']): Joinable | undefined {
  const moves = updates.map(toMove)
  if (moves.some(({ expectedOid, newOid }) => isZeroOid(expectedOid) || isZeroOid(newOid))) return undefined
  return { refs: moves.map(({ name }) => name) }
}
