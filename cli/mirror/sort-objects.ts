/** Brings objects of one kind into the order in which the server takes them, and finds those that it cannot take. */
import type { ObjectFormat } from '../../src/index.ts'
import { heights } from './heights.ts'
import type { ObjectReader } from './object-reader.ts'
import { OidList } from './oid-list.ts'
import { referencesOf } from './references.ts'

/** Oids that cannot be stored, each with the reason. */
export type Culprits = Map<string, string>

const none: readonly number[] = []

/** Objects of one kind in the order in which the server takes them. */
export interface Sorted {
  readonly oids: OidList
  /**
   * The level of each: an object refers only to objects of lower levels, so that those of one level need not wait for
   * each other. Undefined = each may refer to the one before it.
   */
  readonly levels?: Uint32Array
}

/**
 * Sorts a list by levels. An object that refers to a culprit becomes one, for the same reason; culprits are not read.
 */
export async function sortObjects(
  list: OidList,
  culprits: Culprits,
  { reader, objectFormat }: { readonly reader: ObjectReader; readonly objectFormat: ObjectFormat }
): Promise<Sorted> {
  const places = new Map<string, number>()
  for (const oid of list) places.set(oid, places.size)
  const children: (readonly number[])[] = Array.from(list, () => none)
  const readable = culprits.size === 0 ? list : Array.from(list).filter((oid) => !culprits.has(oid))
  for await (const object of reader.read(readable)) {
    const references = referencesOf(object)
    const within = references.map((oid) => places.get(oid)).filter((place) => place !== undefined)
    if (within.length > 0) children[places.get(object.oid) as number] = within
    addReason(culprits, object.oid, references)
  }
  const levelOf = heights(list.length, (place) => children[place] as readonly number[])
  const order = Uint32Array.from(levelOf, (_, place) => place).sort((a, b) => at(levelOf, a) - at(levelOf, b))
  const oids = new OidList(objectFormat)
  for (const place of order) {
    const oid = list.at(place)
    oids.push(oid)
    if (culprits.size === 0) continue
    const below = (children[place] as readonly number[]).map((child) => list.at(child))
    addReason(culprits, oid, below)
  }
  return { oids, levels: order.map((place) => at(levelOf, place)) }
}

const at = (numbers: Uint32Array, index: number) => numbers[index] as number

function addReason(culprits: Culprits, oid: string, references: readonly string[]): void {
  if (culprits.size === 0 || culprits.has(oid)) return
  const reason = references.map((reference) => culprits.get(reference)).find((found) => found !== undefined)
  if (reason !== undefined) culprits.set(oid, reason)
}
