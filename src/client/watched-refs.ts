/** The refs that a watch knows of: turns the server's messages into updates, and gaps into differences. */
import type { MovedRef, Ref, RefEvent, WatchRefsResponse } from '../schema/messages.ts'
import type { WatchUpdate } from './watch-types.ts'

interface KnownRef {
  readonly name: string
  readonly rawName?: Uint8Array | undefined
  readonly oid: string
}

/** Two names that are not UTF-8 may look alike. No name of a ref holds a NUL. */
const keyOf = ({ name, rawName }: { readonly name: string; readonly rawName?: Uint8Array | undefined }) =>
  rawName === undefined || rawName.length === 0 ? name : `${name}\0${rawName.join()}`

const zeros = (oid: string) => '0'.repeat(oid.length)

function moved({ name, rawName }: KnownRef | Ref | MovedRef, oldOid: string, newOid: string): MovedRef {
  return rawName === undefined ? { name, oldOid, newOid } : { name, oldOid, newOid, rawName }
}

const untold = { requestId: '', timeMs: 0 }

export class WatchedRefs {
  /** Undefined = the watch began at a cursor alone. */
  #known: Map<string, KnownRef> | undefined
  /** Refs that no page of those under way has told of yet. */
  #unseen: Set<string> | undefined
  #kind: 'start' | 'difference' = 'start'

  /** @param refs as they were where the watch begins; undefined = the server will tell */
  constructor(refs: Iterable<Ref> | undefined) {
    if (refs === undefined) return
    this.#known = new Map()
    for (const { name, oid, rawName } of refs) this.#known.set(keyOf({ name, rawName }), { name, oid, rawName })
  }

  /** The updates of a message. */
  take({ cursor, events, page, gap }: WatchRefsResponse): WatchUpdate[] {
    const updates: WatchUpdate[] = []
    if (gap) {
      this.#unseen = undefined
      if (this.#known === undefined) updates.push({ kind: 'gap', cursor: undefined, moves: [], ...untold })
    }
    for (const event of events) this.#event(event, updates)
    if (page) this.#page(page.refs, page.last, { cursor: cursor || undefined, updates })
    return updates
  }

  #event({ requestId, timeMs, moves, cursor }: RefEvent, updates: WatchUpdate[]): void {
    const before = moves.flatMap((move) => this.#apply(move))
    if (before.length > 0) updates.push({ kind: 'difference', cursor: undefined, moves: before, ...untold })
    updates.push({ kind: 'moves', cursor: cursor || undefined, moves, requestId, timeMs })
  }

  /** The move that must have come before, where the ref was known to be elsewhere. */
  #apply(move: MovedRef): MovedRef[] {
    const known = this.#known
    if (known === undefined) return []
    const key = keyOf(move)
    const zero = zeros(move.newOid)
    const knownOid = known.get(key)?.oid ?? zero
    this.#unseen?.delete(key)
    if (move.newOid === zero) known.delete(key)
    else known.set(key, { name: move.name, rawName: move.rawName, oid: move.newOid })
    return knownOid === move.oldOid ? [] : [moved(move, knownOid, move.oldOid)]
  }

  #page(
    refs: readonly Ref[],
    isLast: boolean,
    { cursor, updates }: { cursor: string | undefined; updates: WatchUpdate[] }
  ): void {
    if (this.#unseen === undefined) {
      this.#kind = this.#known === undefined ? 'start' : 'difference'
      this.#known ??= new Map()
      this.#unseen = new Set(this.#known.keys())
    }
    const known = this.#known as Map<string, KnownRef>
    const moves: MovedRef[] = []
    for (const ref of refs) {
      const key = keyOf(ref)
      const oldOid = known.get(key)?.oid ?? zeros(ref.oid)
      this.#unseen.delete(key)
      known.set(key, ref)
      if (oldOid !== ref.oid) moves.push(moved(ref, oldOid, ref.oid))
    }
    if (isLast) {
      for (const key of this.#unseen) {
        const ref = known.get(key) as KnownRef
        known.delete(key)
        moves.push(moved(ref, ref.oid, zeros(ref.oid)))
      }
      this.#unseen = undefined
    }
    if (moves.length > 0 || cursor !== undefined) updates.push({ kind: this.#kind, cursor, moves, ...untold })
  }
}
