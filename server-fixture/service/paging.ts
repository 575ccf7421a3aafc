/** Pages of listings. */
import { Pace } from './pace.ts'
import type { Workspace } from './workspace.ts'

/** The number of items on a page: the requested one, within the limit. */
export function pageSize(asked: number, usual: number, most: number): number {
  return asked === 0 ? usual : Math.min(asked, most)
}

/** A step of a walk that shows nothing. */
export const passedOver = Symbol('passed over')

/** A walk through a listing, which can end after any step and go on from there later. */
export interface Walk<Item> {
  /** The item of the step that comes next, the same until `advance`; undefined = the end. */
  peek(): Step<Item> | Promise<Step<Item>>
  /** Makes the step. */
  advance(): void
}

/** One step of a walk. */
export type Step<Item> = Item | typeof passedOver | undefined

interface PageOptions<Item> {
  readonly limit: number
  /** Estimated bytes of an item in the answer. */
  readonly sizeOf: (item: Item) => number
  /** @default a new one */
  readonly pace?: Pace
}

/** A page; `isLast` where the walk has come to its end. */
export interface Page<Item> {
  readonly items: Item[]
  readonly isLast: boolean
}

/** Other parts of an answer, and what an encoding adds, have the rest of `maxBatchBytes`. */
const shareOfMessage = 0.75

/** The first items, at most so many, that a message has room for: one at least. */
export function firstPage<Item>(
  { limits }: Workspace,
  items: readonly Item[],
  { limit, sizeOf }: Pick<PageOptions<Item>, 'limit' | 'sizeOf'>
): Item[] {
  let bytes = 0
  const end = items.findIndex((item, index) => {
    bytes += sizeOf(item)
    return index === limit || (index > 0 && bytes > limits.maxBatchBytes * shareOfMessage)
  })
  return items.slice(0, end < 0 ? items.length : end)
}

/**
 * Takes items from a walk. The page ends at its limit, before the item that would make it larger than a message, and
 * early where the walk has taken its time; it can then have few items or none.
 */
export async function fillPage<Item extends object>(
  workspace: Workspace,
  walk: Walk<Item>,
  { limit, sizeOf, pace = new Pace(workspace) }: PageOptions<Item>
): Promise<Page<Item>> {
  const items: Item[] = []
  const maxBytes = workspace.limits.maxBatchBytes * shareOfMessage
  let bytes = 0
  while (!pace.isOver) {
    const next = walk.peek()
    const waited = next instanceof Promise
    const item = waited ? await next : next
    if (item === undefined) return { items, isLast: true }
    if (item !== passedOver) {
      bytes += sizeOf(item)
      if (items.length === limit || (items.length > 0 && bytes > maxBytes)) break
      items.push(item)
    }
    walk.advance()
    const rest = pace.step(waited)
    if (rest) await rest
  }
  return { items, isLast: false }
}
