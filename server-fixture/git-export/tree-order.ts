/** The order in which trees are stored: each after those in it, so that whatever is there is complete at any time. */
import type { OidList } from './oid-list.ts'

/**
 * Trees by height: those of each group name only trees of groups before it, and none of the list.
 *
 * @param treesIn calls back with the index of a tree, and the oids of the trees in it
 */
export async function treesByHeight(
  trees: OidList,
  treesIn: (onTree: (index: number, named: readonly string[]) => void) => Promise<void>
): Promise<number[][]> {
  const indexOf = new Map<string, number>()
  for (let index = 0; index < trees.length; index++) indexOf.set(trees.oid(index), index)
  const named: Uint32Array[] = []
  await treesIn((index, oids) => {
    // Those that are not in the list are stored already.
    const indexes = oids.flatMap((oid) => indexOf.get(oid) ?? [])
    named[index] = Uint32Array.from(indexes)
  })
  return groupsOf(heightsOf(named))
}

/** Without recursion: paths may be deep. */
function heightsOf(named: readonly Uint32Array[]): Int32Array {
  const heights = new Int32Array(named.length).fill(-1)
  for (let start = 0; start < named.length; start++) {
    const path = [start]
    while (path.length > 0) {
      const tree = path.at(-1) as number
      const children = named[tree] as Uint32Array
      const unknown = heights[tree] === -1 ? children.filter((child) => heights[child] === -1) : []
      if (unknown.length > 0) {
        for (const child of unknown) path.push(child)
        continue
      }
      if (heights[tree] === -1)
        heights[tree] = children.reduce((top, child) => Math.max(top, (heights[child] as number) + 1), 0)
      path.pop()
    }
  }
  return heights
}

function groupsOf(heights: Int32Array): number[][] {
  const groups: number[][] = []
  for (const [index, height] of heights.entries()) {
    groups[height] ??= []
    groups[height].push(index)
  }
  return groups
}
