/** Moves the server's refs to where the source's are. */
import type { RefUpdateInput, Repository } from '../../src/index.ts'
import type { LeftOutRef } from './plan.ts'
import { apiName, nameOf, readable } from './ref-name.ts'
import { isRefusal } from './send-objects.ts'
import type { SourceRef } from './source.ts'

/** Refs in one transaction. */
const maxUpdates = 500

/** The moves to make: deletions first, since a name may be a directory of another one. */
export interface RefChanges {
  readonly deletions: readonly RefUpdateInput[]
  readonly moves: readonly RefUpdateInput[]
}

/** @param kept readable names of refs that stay although the source does not give them an oid: they are left out */
export function changesOf(
  refs: readonly SourceRef[],
  there: ReadonlyMap<string, string>,
  { prune, kept }: { readonly prune: boolean; readonly kept: ReadonlySet<string> }
): RefChanges {
  const names = new Set(refs.map(({ name }) => name))
  const gone = prune ? [...there].filter(([name]) => !names.has(name) && !kept.has(readable(name))) : []
  return {
    deletions: gone.map(([name, expectedOid]) => ({ name: apiName(name), expectedOid, newOid: null })),
    moves: refs
      .filter(({ name, oid }) => there.get(name) !== oid)
      .map(({ name, oid }) => ({ name: apiName(name), expectedOid: there.get(name) ?? null, newOid: oid }))
  }
}

/**
 * Updates refs by compare-and-swap, in transactions of bounded size. Refs that the server refuses are returned.
 * @throws BlobwireError `aborted`, reason `ref_mismatch`, where somebody else has moved a ref in the meantime
 */
export async function updateRefs(
  repo: Repository,
  { deletions, moves }: RefChanges,
  onUpdated: (count: number) => void
): Promise<LeftOutRef[]> {
  const leftOut: LeftOutRef[] = []
  const update = async (updates: readonly RefUpdateInput[]): Promise<void> => {
    try {
      await repo.updateRefs(updates)
      onUpdated(updates.length)
    } catch (error) {
      if (!isRefusal(error)) throw error
      const middle = updates.length >> 1
      if (middle === 0) leftOut.push({ name: readable(nameOf(updates[0]?.name ?? '')), reason: error.message })
      else for (const half of [updates.slice(0, middle), updates.slice(middle)]) await update(half)
    }
  }
  for (const list of [deletions, moves]) {
    for (let from = 0; from < list.length; from += maxUpdates) await update(list.slice(from, from + maxUpdates))
  }
  return leftOut
}
