/** Cuts lists of operations into requests that fit, before they are sent and after the server found them too large. */
import type { BlobwireError } from '../core/error.ts'
import { utf8Length } from '../platform/bytes.ts'
import type { Messages } from '../schema/messages.ts'
import { malformedResponse } from '../transport/errors.ts'

/** Room in a request for its fixed parts: the repository's name, the list itself. */
export const envelopeBytes = 1024
/** Bytes of an operation besides its request: its name, lengths, brackets. */
const perOperationBytes = 48

/** The bounds of one request. */
export type RequestBounds = Pick<Messages['Limits'], 'maxBatchOperations' | 'maxBatchBytes'>

/** Cuts a list into runs, in order, that keep within the bounds; an item that is too large has a run of its own. */
export function splitBySize<Item>(
  items: readonly Item[],
  sizeOf: (item: Item) => number,
  bounds: RequestBounds
): Item[][] {
  const runs: Item[][] = []
  let run: Item[] = []
  let bytes = 0
  const maxBytes = bounds.maxBatchBytes - envelopeBytes
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

/** Both halves, for a request that was too large as a whole. */
export function halves<Item>(items: readonly Item[]): [Item[], Item[]] {
  const middle = items.length >> 1
  return [items.slice(0, middle), items.slice(middle)]
}

/** Whether the answer to a batch had no room for the result of this operation, which is to be asked for again. */
export function isLeftOut(error: Messages['OperationError'] | undefined): boolean {
  return error?.detail?.reason === 'batch_response_full'
}

/** Operations to be asked for again. The first result of an answer always fits, so asking again comes to an end. */
export function leftOut<Item>(
  items: readonly Item[],
  errorOf: (item: Item, index: number) => Messages['OperationError'] | undefined
): Item[] {
  const left = items.filter((item, index) => isLeftOut(errorOf(item, index)))
  return left.length < items.length ? left : []
}

/** The error for an answer with more or fewer results than there were operations. */
export function wrongResultCount(expected: number, found: number): BlobwireError {
  return malformedResponse(`${found} results for ${expected} operations`).with({ attempts: 1 })
}

/** Bytes of a field besides its value: its key and its length, about. */
const perFieldBytes = 16

/**
 * Estimated size of a value in a request, rather more than less, before there is a codec to ask. Where the estimate is too
 * low all the same, the server refuses the request and it is split.
 */
export function estimateBytes(value: unknown, base64: boolean): number {
  if (value instanceof Uint8Array) return perFieldBytes + (base64 ? Math.ceil(value.length / 3) * 4 : value.length)
  if (typeof value === 'string') return perFieldBytes + utf8Length(value)
  if (typeof value !== 'object' || value === null) return perFieldBytes
  let sum = perFieldBytes
  if (Array.isArray(value)) {
    for (const item of value) sum += estimateBytes(item, base64)
    return sum
  }
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key]
    if (item !== undefined) sum += key.length + estimateBytes(item, base64)
  }
  return sum
}
