/** Events: the moves of refs as a store wrote them down, with the moves themselves, for those who follow a repository. */

/** One ref of an event; the all-zero oid stands for "no such ref" on either side. */
export interface EventMove {
  readonly name: string
  readonly oldOid: string
  readonly newOid: string
}

/** An event to be written. */
export interface NewRefEvent {
  /** Of the call that made the moves. */
  readonly requestId?: string | undefined
  readonly moves: readonly EventMove[]
}

/** The moves of one call, which happened together. */
export interface RefEvent extends NewRefEvent {
  /** Grows from event to event of a repository, by any step. */
  readonly sequence: number
  readonly timeMs: number
}

/** A place between two events of one repository. */
export interface EventCursor {
  /** Tells the repository from earlier and later ones of its name. */
  readonly incarnation: string
  /** Of the last event before the place; 0 = before all. */
  readonly sequence: number
}

/** Where to read, and how much. */
export interface EventRequest {
  /** Undefined = no event is read: the answer tells the present place alone. */
  readonly after?: EventCursor | undefined
  readonly limit: number
}

/** Events that follow each other. */
export interface EventPage {
  /** Oldest first; the moves of a ref in the order in which they were made. */
  readonly events: readonly RefEvent[]
  /** Behind the last of them; after a gap, the present place. */
  readonly cursor: EventCursor
  /**
   * `more` = others follow at once; `current` = none follows now; `ended` = none will, because the repository was deleted;
   * `gap` = events after the cursor that was given are kept no longer, or the repository is another one by now.
   */
  readonly state: 'more' | 'current' | 'ended' | 'gap'
}

/**
 * The part of a store that keeps events. An event is durable, and can be read, when the call that made its moves is
 * answered; a repetition of a write under its key makes no second one. Events outlive their repository, for as long as
 * they are kept. Moves that another program makes, such as `git update-ref`, are no events.
 */
export interface EventStore {
  /**
   * How often those who wait for events look for them, in milliseconds, beside the calls of `onEvents`: for stores that
   * do not hear of the moves of other servers at once. Undefined = `onEvents` tells of every event.
   */
  readonly eventPollMs?: number | undefined
  /** @throws BlobwireError `not_found`, reason `repository`, where there is neither the repository nor the cursor's events */
  readEvents(repository: string, request: EventRequest): Promise<EventPage>
  /** The place before the oldest event of the repository that is kept. @throws as `readEvents` */
  oldestEvents(repository: string): Promise<EventCursor>
  /**
   * Calls the listener when there is something new to read of a repository: events, or its end. A hint: it may come late,
   * twice or for nothing, and must not throw.
   *
   * @returns a function that ends the calls
   */
  onEvents(listener: (repository: string) => void): () => void
}

/** The listeners of one store. */
export class EventListeners {
  readonly #listeners = new Set<(repository: string) => void>()

  add(listener: (repository: string) => void): () => void {
    // The same function may listen twice.
    const own = (repository: string) => listener(repository)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  tell(repository: string): void {
    for (const listener of this.#listeners) listener(repository)
  }
}
