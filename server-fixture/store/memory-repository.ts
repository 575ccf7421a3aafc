/** One repository of the memory store. */
import type { SortedNames } from './name-page.ts'
import type { ObjectTable } from './object-table.ts'
import { followedBranches } from './ref-rules.ts'
import type { Head, RepositoryInfo } from './store.ts'

/** Its objects, its refs and what is known of it. */
export interface MemoryRepository {
  info: RepositoryInfo
  /** Tells the repository from earlier and later ones of its name. */
  readonly incarnation: string
  /** Somebody chose the default branch. */
  isChosen: boolean
  readonly objects: ObjectTable
  readonly refs: Map<string, string>
  readonly refNames: SortedNames
}

/** With the branch that HEAD names now. */
export const infoOf = (found: MemoryRepository): RepositoryInfo => ({ ...found.info, defaultBranch: headOf(found).ref })

/** HEAD follows the branches where it names one that does not exist and that nobody chose. */
export function headOf({ info: { defaultBranch: ref }, isChosen, refs, refNames }: MemoryRepository): Head {
  const oid = refs.get(ref)
  if (oid !== undefined || isChosen) return { ref, oid, isFree: false }
  const branches = refNames.page({ prefix: 'refs/heads/', after: '', limit: 2 })
  const followed = followedBranches(branches).find((name) => refs.has(name))
  return followed === undefined
    ? { ref, oid: undefined, isFree: branches.length === 0 }
    : { ref: followed, oid: refs.get(followed), isFree: false }
}
