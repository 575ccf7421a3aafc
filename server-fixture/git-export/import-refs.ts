/** Moves the refs of a store to those of a repository that was imported, by compare-and-swap. */
import { BlobwireError } from '../../src/core/error.ts'
import { zeroOid } from '../../src/git/oid.ts'
import { refFormatProblem } from '../../src/git/ref-name.ts'
import { runGit } from '../store/git/git-process.ts'
import type { RefMove } from '../store/store.ts'
import type { ImportTarget } from './import-objects.ts'
import type { GitSource } from './source-repository.ts'

/** Of one transaction. */
const movesTogether = 1000

/** Options of an import. */
export interface ImportRefsOptions {
  /**
   * Moves branches that would lose commits, and tags, too.
   *
   * @default false
   */
  readonly force?: boolean | undefined
  /**
   * Deletes refs that the imported repository does not have.
   *
   * @default false
   */
  readonly prune?: boolean | undefined
}

/** A ref that was left as it is. */
export interface LeftRef {
  readonly name: string
  readonly why: string
}

/** Refs as they were before the objects were moved: one that moves meanwhile is not overwritten. */
export async function importRefs(
  source: GitSource,
  target: ImportTarget & { readonly refs: ReadonlyMap<string, string> },
  { force = false, prune = false }: ImportRefsOptions
): Promise<{ moved: number; left: LeftRef[] }> {
  const left: LeftRef[] = []
  const moves: RefMove[] = []
  const zero = zeroOid(source.format)
  for (const [name, newOid] of source.refs) {
    const expectedOid = target.refs.get(name) ?? zero
    if (newOid === expectedOid) continue
    const why = refFormatProblem(name) ?? (force ? undefined : await whyNot(source, name, { expectedOid, newOid }))
    if (why === undefined) moves.push({ name, expectedOid, newOid })
    else left.push({ name, why })
  }
  if (prune) {
    for (const [name, expectedOid] of target.refs)
      if (!source.refs.has(name)) moves.unshift({ name, expectedOid, newOid: zero })
  }
  let moved = 0
  for (let from = 0; from < moves.length; from += movesTogether) {
    const part = moves.slice(from, from + movesTogether)
    const movedNow = await moveAll(target, part, left)
    moved += movedNow
  }
  return { moved, left }
}

/** As `git push` refuses it; undefined = nothing is lost. */
async function whyNot(source: GitSource, name: string, move: Omit<RefMove, 'name'>): Promise<string | undefined> {
  if (move.expectedOid === zeroOid(source.format)) return undefined
  if (!name.startsWith('refs/heads/')) return 'it is at another object; --force moves it'
  try {
    await runGit(source.context, ['merge-base', '--is-ancestor', move.expectedOid, move.newOid])
    return undefined
  } catch (error) {
    if (!(error instanceof BlobwireError && error.reason === 'git_failed')) throw error
    return 'it has commits that the import does not have; --force moves it'
  }
}

/** All at once; without those that somebody has moved, where there are some. */
async function moveAll(
  { store, repository }: ImportTarget,
  moves: readonly RefMove[],
  left: LeftRef[]
): Promise<number> {
  for (let rest = moves; rest.length > 0; ) {
    const mismatches = new Set((await store.updateRefs(repository, rest)).map(({ name }) => name))
    if (mismatches.size === 0) return rest.length
    for (const name of mismatches) left.push({ name, why: 'somebody has moved it meanwhile' })
    rest = rest.filter(({ name }) => !mismatches.has(name))
  }
  return 0
}
