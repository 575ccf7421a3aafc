import type { Messages } from '../schema/messages.ts'

/** What an operation takes besides its request: its name, lengths, brackets. */
const perOperationBytes = 48

/** The bounds of one request. */
export type Bounds = Pick<Messages['Limits'], 'maxBatchOperations' | 'maxBatchBytes'>

/** Cuts a list into runs, in order, that keep within the bounds; an item that is too large alone has a run of its own. */
export function pack<Item>(items: readonly Item[], sizeOf: (item: Item) => number, bounds: Bounds): Item[][] {
  const runs: Item[][] = []
  let run: Item[] = []
  let bytes = 0
  // Room for what stands once: the repository's name, the list itself.
  const maxBytes = bounds.maxBatchBytes - 1024
  for (const item of items) {
    const size = sizeOf(item) + perOperationBytes
    if (run.length > 0 && (run.length >= bounds.maxBatchOperations || bytes + size > maxBytes)) {
      runs.push(run)
      run = []
      bytes = 0
    }
    run.push(item)
    bytes += size
  }
  if (run.length > 0) runs.push(run)
  return runs
}
