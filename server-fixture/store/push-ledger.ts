/** Who sends push events, and how far they have gone: the part of a store of several servers. */
import type { EventCursor } from './events.ts'

/** A place in the events of a repository of this name; undefined = there is none. */
export interface PushPlace {
  readonly repository: string
  readonly cursor: EventCursor
}

export interface PushLedger {
  /** Makes the holder the one that sends for so long from now, unless another one is; false = another one is. */
  takeLease(holder: string, seconds: number): Promise<boolean>
  /** Lets another one send at once. */
  releaseLease(holder: string): Promise<void>
  /** All places that are kept; undefined = none ever was. */
  places(): Promise<PushPlace[] | undefined>
  /**
   * Keeps the place, or forgets it where it is undefined: all events before it have been delivered or given up. False =
   * another one holds the lease, and nothing is kept.
   */
  keep(holder: string, repository: string, cursor: EventCursor | undefined): Promise<boolean>
  /** Keeps the present place of each repository, and that there are places. False = another one holds the lease. */
  begin(holder: string): Promise<boolean>
  /** The present place of each repository. */
  present(): Promise<PushPlace[]>
}
