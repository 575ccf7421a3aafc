/** Asks the store once for the objects that many objects of a batch name, instead of once for each of these. */
import { objectKinds } from '../../src/git/oid.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { checkObject } from './object-check/check-object.ts'
import type { NamedObject } from './object-check/checked-object.ts'
import type { Workspace } from './workspace.ts'

/** Bounds the memory of a batch of large trees. */
const maxNamed = 4096

/**
 * Looks for the objects that this `StoreObject` operation, and those that follow it, name; the workspace knows those that
 * it finds. Returns the index of the operation that was not looked at.
 */
export async function lookAhead(
  workspace: Workspace,
  list: readonly Messages['Operation'][],
  start: number
): Promise<number> {
  const oids = new Set<string>()
  let index = start
  for (; index < list.length && oids.size < maxNamed; index++) {
    const request = list[index]?.storeObject
    if (request === undefined) break
    for (const { oid } of namedBy(workspace, request)) oids.add(oid)
  }
  // A failure is that of the operation which asks again.
  if (index > start + 1) await Promise.all(Array.from(oids, (oid) => workspace.info(oid).catch(() => undefined)))
  return index
}

function namedBy({ format }: Workspace, { kind, content }: Messages['StoreObjectRequest']): readonly NamedObject[] {
  // The operation refuses other kinds, of which some are names that every object has.
  if (!objectKinds.includes(kind)) return []
  try {
    return checkObject(kind, content, format).named
  } catch {
    return []
  }
}
