/** The present end of one repository's events: reads each of them once, for all watches that have reached it. */
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { EventCursor, RefEvent } from '../../store/events.ts'
import type { Store } from '../../store/store.ts'
import { writeCursor } from './watch-cursor.ts'
import { filterOf, messageOf, toldEvent, type WatchMessage } from './watch-messages.ts'

/** Events that are read at once. */
const eventsAtOnce = 500
/** Watches that hear of something between two turns of the event loop. */
const watchesAtOnce = 200
/** The longest rest after a telling, in milliseconds. */
const longestRestMs = 100

/** A watch, as the feed sees it. */
export interface Listener {
  readonly prefix: string
  /** The place up to which it has heard. */
  readonly place: EventCursor | undefined
  hear(message: WatchMessage | undefined, place: EventCursor): void
  hearAfter(events: readonly RefEvent[], place: EventCursor): void
  lookAgain(): void
}

export class RefFeed {
  readonly #repository: string
  readonly #store: Store
  /** By prefix: those with the same one hear the same message. */
  readonly #groups = new Map<string, Set<Listener>>()
  #place: EventCursor | undefined
  #isStale = false
  #looking: Promise<void> | undefined

  constructor(repository: string, store: Store) {
    this.#repository = repository
    this.#store = store
  }

  has(listener: Listener): boolean {
    return this.#groups.get(listener.prefix)?.has(listener) ?? false
  }

  /** From now on the listener hears of events. False = the feed is at another place; see `look`. */
  join(listener: Listener): boolean {
    const { place, prefix } = listener
    if (place === undefined) return false
    if (this.#groups.size === 0 && this.#looking === undefined) this.#place = place
    const own = this.#place
    if (own?.incarnation !== place.incarnation || place.sequence < own.sequence) return false
    const group = this.#groups.get(prefix)
    if (group) group.add(listener)
    else this.#groups.set(prefix, new Set([listener]))
    // Events may have come between its last look and now.
    this.wake()
    return true
  }

  leave(listener: Listener): void {
    const group = this.#groups.get(listener.prefix)
    if (group?.delete(listener) && group.size === 0) this.#groups.delete(listener.prefix)
  }

  /** There may be something new. */
  wake(): void {
    void this.look()
  }

  /** Looks for events now; resolves when all listeners have heard of them. Never rejects. */
  look(): Promise<void> {
    this.#isStale = true
    this.#looking ??= this.#lookWhileStale()
    return this.#looking
  }

  async #lookWhileStale(): Promise<void> {
    // Events of one turn of the event loop are told together.
    await setImmediate()
    while (this.#isStale && this.#groups.size > 0) {
      this.#isStale = false
      const startMs = performance.now()
      try {
        await this.#readOn()
      } catch {
        // Each listener comes to the same error by itself.
        this.#scatter()
      }
      await rest(performance.now() - startMs)
    }
    // At once: from here on, another call looks anew.
    this.#looking = undefined
  }

  async #readOn(): Promise<void> {
    const after = this.#place
    if (after === undefined) return
    const page = await this.#store.readEvents(this.#repository, { after, limit: eventsAtOnce })
    if (page.events.length === 0 && page.state !== 'current') return this.#scatter()
    this.#place = page.cursor
    if (page.events.length > 0) await this.#tell(page.events, page.cursor)
    if (page.state === 'more') this.#isStale = true
  }

  async #tell(events: readonly RefEvent[], place: EventCursor): Promise<void> {
    const first = events[0]?.sequence ?? place.sequence
    let told = 0
    for (const [prefix, group] of this.#groups) {
      const message = this.#messageFor(prefix, events, place)
      for (const listener of group) {
        // One that has joined from further on has heard of some.
        if ((listener.place?.sequence ?? 0) < first) listener.hear(message, place)
        else listener.hearAfter(events, place)
        if (++told % watchesAtOnce === 0) await setImmediate()
      }
    }
  }

  #messageFor(prefix: string, events: readonly RefEvent[], place: EventCursor): WatchMessage | undefined {
    const filter = filterOf(prefix)
    const told = events
      .map((event) => toldEvent(event, filter, writeCursor(this.#repository, { ...place, sequence: event.sequence })))
      .filter((event) => event !== undefined)
    return told.length === 0 ? undefined : messageOf({ events: told, cursor: writeCursor(this.#repository, place) })
  }

  /** Events are known no longer, or no more will come: each listener looks for itself. */
  #scatter(): void {
    const listeners = [...this.#groups.values()].flatMap((group) => [...group])
    this.#groups.clear()
    for (const listener of listeners) listener.lookAgain()
  }
}

/**
 * As long as the telling took, so that many watches take half of the server's time at most: what happens meanwhile is told
 * together.
 */
async function rest(tookMs: number): Promise<void> {
  const restMs = Math.min(longestRestMs, Math.round(tookMs))
  if (restMs > 1) await setTimeout(restMs)
}
