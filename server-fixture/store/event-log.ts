/** Events in memory, the newest of them: all that a memory store keeps, and the end of what others have on disk. */
import type { EventCursor, NewRefEvent, RefEvent } from './events.ts'

/** Of one repository. */
interface Log {
  readonly repository: string
  /** Oldest first, from `start` on. */
  readonly events: RefEvent[]
  start: number
  /** Events up to this one are not here. */
  dropped: number
  /** The sequence of the last event. */
  last: number
  /** The repository was deleted. */
  hasEnded: boolean
}

/** Events that follow a place. */
export interface LogPage {
  readonly events: readonly RefEvent[]
  readonly hasMore: boolean
}

/** In memory, of an event and of each of its moves. */
const eventBytes = 200

/** Events of many repositories, within a bound: the oldest of all are dropped first. */
export class EventLog {
  readonly #maxBytes: number
  /** By incarnation. */
  readonly #logs = new Map<string, Log>()
  /** The log of each event, in the order in which they were added, from `#first` on. */
  #order: Log[] = []
  #first = 0
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Begins the log of a repository: all of its events after this place will be added. */
  begin(repository: string, { incarnation, sequence }: EventCursor): void {
    const log = { repository, events: [], start: 0, dropped: sequence, last: sequence, hasEnded: false }
    if (!this.#logs.has(incarnation)) this.#logs.set(incarnation, log)
  }

  /** Adds events in the order of their sequence, behind those that are there. */
  add(incarnation: string, events: readonly RefEvent[]): void {
    const log = this.#logs.get(incarnation)
    if (log === undefined) return
    for (const event of events) {
      log.events.push(event)
      log.last = event.sequence
      this.#order.push(log)
      this.#bytes += bytesOf(event)
    }
    while (this.#bytes > this.#maxBytes && this.#first < this.#order.length) this.#dropOldest()
  }

  /** The events after a place; undefined = some of them are not here, or the place is of another repository. */
  read(repository: string, { incarnation, sequence }: EventCursor, limit: number): LogPage | undefined {
    const log = this.#logs.get(incarnation)
    if (log?.repository !== repository || sequence < log.dropped || sequence > log.last) return undefined
    let begin = log.events.length
    // Those who follow a repository are near its end.
    while (begin > log.start && (log.events[begin - 1] as RefEvent).sequence > sequence) begin--
    const end = Math.min(log.events.length, begin + limit)
    return { events: log.events.slice(begin, end), hasMore: end < log.events.length }
  }

  /** The place before the oldest event; undefined = the log has not begun. */
  droppedOf(incarnation: string): number | undefined {
    return this.#logs.get(incarnation)?.dropped
  }

  /** The sequence of the last event; undefined = the log has not begun. */
  lastOf(incarnation: string): number | undefined {
    return this.#logs.get(incarnation)?.last
  }

  /** The repository was deleted: its log goes with its last event. */
  end(incarnation: string): void {
    const log = this.#logs.get(incarnation)
    if (log === undefined) return
    log.hasEnded = true
    if (log.start === log.events.length) this.#logs.delete(incarnation)
  }

  #dropOldest(): void {
    const log = this.#order[this.#first++] as Log
    const event = log.events[log.start++] as RefEvent
    log.dropped = event.sequence
    this.#bytes -= bytesOf(event)
    if (log.start * 2 > log.events.length) {
      log.events.splice(0, log.start)
      log.start = 0
    }
    if (log.hasEnded && log.events.length === 0) this.#forget(log)
    if (this.#first * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#first)
      this.#first = 0
    }
  }

  #forget(log: Log): void {
    for (const [incarnation, other] of this.#logs) if (other === log) this.#logs.delete(incarnation)
  }
}

const bytesOf = ({ moves }: NewRefEvent) => eventBytes * (1 + moves.length)
