import type { Messages } from '../schema/messages.ts'

/** What a message takes besides its strings and bytes: keys, lengths, brackets. */
const perFieldBytes = 16
const perOperationBytes = 48

/**
 * About how many bytes a value takes in a request, rather more than less. Where it is too little all the same, the
 * server refuses the request and it is split (batch.ts).
 */
export function estimateBytes(value: unknown, base64: boolean): number {
  if (value instanceof Uint8Array) return perFieldBytes + (base64 ? Math.ceil(value.length / 3) * 4 : value.length)
  if (typeof value === 'string') return perFieldBytes + Buffer.byteLength(value)
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + estimateBytes(item, base64), perFieldBytes)
  if (typeof value !== 'object' || value === null) return perFieldBytes
  let sum = perFieldBytes
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) sum += key.length + estimateBytes(item, base64)
  }
  return sum
}

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
