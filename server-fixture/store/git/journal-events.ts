/**
 * The events in the journal: they are written with the intent of their moves, and begin to count with its mark. Their
 * sequence is the place of the record, and for further events of the record the numbers behind it.
 */
import { EventLog } from '../event-log.ts'
import { type EventCursor, EventListeners, type NewRefEvent, type RefEvent } from '../events.ts'
import type { RefMove } from '../store.ts'
import { EventBound } from './event-bound.ts'
import { EventPlaces } from './event-places.ts'
import { placeUnit } from './journal-record.ts'

/** Some 10,000 events of one move: those that follow a repository read its newest ones from memory. */
const recentBytes = 4_000_000

/** An event in a record. */
interface RecordedEvent {
  readonly requestId?: string | undefined
  /** Undefined = all moves of the record. */
  readonly moves?: NewRefEvent['moves'] | undefined
}

/** The part of a record that tells of events. */
export interface EventRecord {
  readonly repository: string
  readonly instance: string
  readonly moves: readonly RefMove[]
  readonly events?: readonly RecordedEvent[] | undefined
  readonly timeMs?: number | undefined
}

/** Events as a record holds them: one that has all moves of the record does not repeat them. */
export function recorded(moves: readonly RefMove[], events: readonly NewRefEvent[]): readonly RecordedEvent[] {
  const [only] = events
  if (only === undefined || events.length > 1 || only.moves.length !== moves.length) return events
  return [{ requestId: only.requestId }]
}

/** The events of a record at a place. */
function eventsIn({ moves, events = [], timeMs = 0 }: EventRecord, place: number): RefEvent[] {
  const all = () => moves.map(({ name, expectedOid, newOid }) => ({ name, oldOid: expectedOid, newOid }))
  return events.map((event, index) => {
    return { requestId: event.requestId, moves: event.moves ?? all(), sequence: place + index, timeMs }
  })
}

/** The events that follow a place; `last` = no other follows now. */
export interface FollowingEvents {
  readonly events: readonly RefEvent[]
  readonly hasMore: boolean
}

/** The events of all repositories of a store. */
export class JournalEvents {
  readonly listeners = new EventListeners()
  /** How many are kept. */
  bound = new EventBound(Number.POSITIVE_INFINITY)
  /** By the id of the repository. */
  readonly #places = new Map<string, EventPlaces>()
  /** Those of deleted repositories, which go with their last event. */
  readonly #ended = new Set<string>()
  readonly #recent = new EventLog(recentBytes)
  readonly #read: (place: number) => Promise<EventRecord | undefined>
  /** Of events up to this place nothing is known. */
  #floor = placeUnit - 1
  #hasStarted = false

  /** @param read the record at a place; undefined = it is there no longer */
  constructor(read: (place: number) => Promise<EventRecord | undefined>) {
    this.#read = read
  }

  /** A record of this segment was read at the start: those of the segments before the first are gone. */
  startAt(segment: number): void {
    if (!this.#hasStarted) this.#floor = segment * placeUnit - 1
    this.#hasStarted = true
  }

  /** Counts the events of a record that was read at the start. False = they come too late; see `add`. */
  load(record: EventRecord, place: number): boolean {
    const { instance, repository, events = [] } = record
    if (events.length === 0) return true
    const places = this.#placesOf(repository, instance)
    if (place <= places.last) return false
    places.add(place, events.length)
    this.bound.add(place)
    return true
  }

  /**
   * The events of a record count from now on. False = later events of the repository do already, so that those who follow
   * it would miss these ones: they need another record.
   */
  add(record: EventRecord, place: number): boolean {
    const { repository, instance: incarnation } = record
    const sequence = this.positionOf(incarnation)
    if (!this.load(record, place)) return false
    const events = eventsIn(record, place)
    if (events.length === 0) return true
    this.#recent.begin(repository, { incarnation, sequence })
    this.#recent.add(incarnation, events)
    this.listeners.tell(repository)
    return true
  }

  /** Whether the repository with this id, and events that are kept, had this name. */
  knows(repository: string, instance: string): boolean {
    return this.#places.get(instance)?.repository === repository
  }

  /** Events of a repository up to this one are kept no longer. */
  droppedOf(instance: string): number {
    return this.#places.get(instance)?.dropped ?? this.#floor
  }

  /** The sequence of the last event of a repository. */
  positionOf(instance: string): number {
    return this.#places.get(instance)?.last ?? this.#floor
  }

  /** The place before the oldest event that is kept. */
  oldestOf(instance: string): number {
    return this.#places.get(instance)?.dropped ?? this.#floor
  }

  /** The events after a place; undefined = some are kept no longer, or the place is of another repository. */
  async following(repository: string, cursor: EventCursor, limit: number): Promise<FollowingEvents | undefined> {
    const { incarnation, sequence } = cursor
    const recent = this.#recent.read(repository, cursor, limit)
    if (recent) return recent
    const places = this.#places.get(incarnation)
    if (places === undefined) return sequence === this.#floor ? { events: [], hasMore: false } : undefined
    if (places.repository !== repository || sequence < places.dropped || sequence > places.last) return undefined
    const events: RefEvent[] = []
    for (const place of places.after(sequence, limit)) {
      const record = await this.#read(place)
      if (record === undefined) return undefined
      events.push(...eventsIn(record, place).filter((event) => event.sequence > sequence))
      if (events.length >= limit) break
    }
    const page = events.slice(0, limit)
    return { events: page, hasMore: (page.at(-1)?.sequence ?? sequence) < places.last }
  }

  /** The repository was deleted. */
  end(repository: string, instance: string): void {
    this.#recent.end(instance)
    if (this.#places.has(instance)) this.#ended.add(instance)
    this.listeners.tell(repository)
  }

  /** The records before this place were removed. */
  dropBefore(place: number): void {
    this.bound.dropBefore(Math.floor(place / placeUnit))
    for (const places of this.#places.values()) places.dropBefore(place)
    for (const instance of this.#ended) {
      if (this.#places.get(instance)?.isEmpty === false) continue
      this.#places.delete(instance)
      this.#ended.delete(instance)
    }
  }

  #placesOf(repository: string, instance: string): EventPlaces {
    let places = this.#places.get(instance)
    if (places === undefined) {
      places = new EventPlaces(repository, this.#floor)
      this.#places.set(instance, places)
    }
    return places
  }
}
