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
  const deleted = prune ? [...target.refs.keys()].filter((name) => !source.refs.has(name)) : []
  const conflictOf = nameConflicts(target.refs.keys(), new Set(deleted))
  for (const [name, newOid] of source.refs) {
    const expectedOid = target.refs.get(name) ?? zero
    if (newOid === expectedOid) continue
    const why =
      refFormatProblem(name) ??
      conflictOf(name) ??
      (force ? undefined : await whyNot(source, name, { expectedOid, newOid }))
    if (why === undefined) moves.push({ name, expectedOid, newOid })
    else left.push({ name, why })
  }
  const deletions = deleted.map((name) => ({ name, expectedOid: target.refs.get(name) as string, newOid: zero }))
  // No transaction makes a ref whose name is a directory of one that it deletes.
  const isInTheWay = nameConflicts(source.refs.keys())
  const first = deletions.filter(({ name }) => isInTheWay(name))
  const rest = [...deletions.filter(({ name }) => !isInTheWay(name)), ...moves]
  let moved = 0
  for (const part of [...groupsOf(first), ...groupsOf(rest)]) moved += await moveAll(target, part, left)
  return { moved, left }
}

const groupsOf = (moves: readonly RefMove[]) =>
  Array.from({ length: Math.ceil(moves.length / movesTogether) }, (_, index) =>
    moves.slice(index * movesTogether, (index + 1) * movesTogether)
  )

/** Tells of which ref a name is a directory, or that is a directory of it; those of `without` do not count. */
function nameConflicts(
  names: Iterable<string>,
  without: ReadonlySet<string> = new Set()
): (name: string) => string | undefined {
  const refs = new Set<string>()
  const directories = new Map<string, string>()
  for (const name of names) {
    if (without.has(name)) continue
    refs.add(name)
    for (const directory of directoriesOf(name)) directories.set(directory, name)
  }
  return (name) => {
    const other = directories.get(name) ?? directoriesOf(name).find((directory) => refs.has(directory))
    return other && `it cannot exist beside ${other}; --prune deletes refs that the import does not have`
  }
}

/** `refs/heads/a/b`: `refs/heads/a`, `refs/heads`, `refs`. */
function directoriesOf(name: string): string[] {
  const directories: string[] = []
  for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
    directories.push(name.slice(0, end))
  }
  return directories
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
