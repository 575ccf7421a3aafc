/** How many watches a server has, and how often it tells that there is nothing new. */

/** The bounds of watches. */
export interface WatchBounds {
  /** Of the whole server. */
  readonly maxWatches: number
  /** A watch without news hears nothing for so long, in milliseconds, and then that there are none. */
  readonly beatMs: number
}

export const defaultWatchBounds: WatchBounds = { maxWatches: 10_000, beatMs: 15_000 }
