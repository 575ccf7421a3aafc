/** Brings objects of one kind into the order in which the server takes them, and finds those that it cannot take. */
import type { ObjectFormat } from '../../src/index.ts'
import { childrenFirst } from './children-first.ts'
import type { ObjectReader } from './object-reader.ts'
import { OidList } from './oid-list.ts'
import { referencesOf } from './references.ts'

/** Oids that cannot be stored, each with the reason. */
export type Culprits = Map<string, string>

const none: readonly number[] = []

/**
 * The list with each object after those of the list that it refers to. An object that refers to a culprit becomes one, for
 * the same reason; culprits are not read.
 */
export async function sortObjects(
  list: OidList,
  culprits: Culprits,
  { reader, objectFormat }: { readonly reader: ObjectReader; readonly objectFormat: ObjectFormat }
): Promise<OidList> {
  if (list.length === 0) return list
  const places = new Map<string, number>()
  for (const oid of list) places.set(oid, places.size)
  const children: (readonly number[])[] = Array.from(list, () => none)
  const readable = culprits.size === 0 ? list : Array.from(list).filter((oid) => !culprits.has(oid))
  for await (const object of reader.read(readable)) {
    const references = referencesOf(object)
    const within = references.map((oid) => places.get(oid)).filter((place) => place !== undefined)
    if (within.length > 0) children[places.get(object.oid) as number] = within
    const reason = culprits.size === 0 ? undefined : reasonAmong(references, culprits)
    if (reason !== undefined) culprits.set(object.oid, reason)
  }
  const sorted = new OidList(objectFormat)
  for (const place of childrenFirst(list.length, (index) => children[index] as readonly number[])) {
    const oid = list.at(place)
    sorted.push(oid)
    const below = culprits.size === 0 ? none : (children[place] as readonly number[])
    const reason =
      culprits.get(oid) ??
      reasonAmong(
        below.map((index) => list.at(index)),
        culprits
      )
    if (reason !== undefined) culprits.set(oid, reason)
  }
  return sorted
}

function reasonAmong(oids: readonly string[], culprits: Culprits): string | undefined {
  return oids.map((oid) => culprits.get(oid)).find((reason) => reason !== undefined)
}
