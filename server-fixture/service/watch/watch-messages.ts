/** The messages of watches: events as clients see them, without the refs that a prefix leaves out. */
import type { Messages } from '../../../src/schema/messages.ts'
import type { EventMove, RefEvent } from '../../store/events.ts'
import { bytesOfName } from '../../store/ref-bytes.ts'
import type { StoredRef } from '../../store/store.ts'
import { toRef } from '../refs.ts'

export type WatchMessage = Messages['WatchRefsResponse']

/** Whether a ref has this name or lies below it. */
export type RefFilter = (name: string) => boolean

/** The filter of a prefix without its last slash. */
export function filterOf(prefix: string): RefFilter {
  if (prefix === '') return () => true
  const below = `${prefix}/`
  return (name) => name.startsWith(below) || name === prefix
}

/** What a message tells; the rest is as in a message that tells nothing. */
export function messageOf(told: Partial<WatchMessage>): WatchMessage {
  return { cursor: '', events: [], gap: false, ...told }
}

function movedRef({ name, oldOid, newOid }: EventMove): Messages['MovedRef'] {
  if (name.isWellFormed()) return { name, oldOid, newOid }
  return { name: name.toWellFormed(), oldOid, newOid, rawName: bytesOfName(name) }
}

/** An event as this filter shows it; undefined = it has no such ref. */
export function toldEvent(
  { requestId = '', timeMs, moves }: RefEvent,
  filter: RefFilter,
  cursor: string
): Messages['RefEvent'] | undefined {
  const told = moves.filter(({ name }) => filter(name))
  return told.length === 0 ? undefined : { requestId, timeMs, moves: told.map(movedRef), cursor }
}

/** A page of refs. */
export const pageOf = (refs: readonly StoredRef[], last: boolean): Messages['RefPage'] => ({
  refs: refs.map(toRef),
  last
})
