/** The types of `repo.watch`. */
import type { CallOptions } from '../call/call-options.ts'
import type { MovedRef, Ref } from '../schema/messages.ts'

/** Where a watch goes on. */
export interface WatchState {
  /** The `cursor` of the last update that was taken. */
  readonly cursor: string
  /** The refs below the prefix as they were there, so that a gap can be told as a difference. */
  readonly refs?: Iterable<Ref> | undefined
}

/** Options of `repo.watch`. A watch has no time limit: abort its signal, or leave the loop. */
export interface WatchOptions extends Omit<CallOptions, 'timeoutMs' | 'transport'> {
  /**
   * Only the ref of this name and those below it, by whole segments: `refs/heads` is the same as `refs/heads/`.
   * Without it, all refs.
   */
  prefix?: string | undefined
  /**
   * Where an earlier watch of the same repository and prefix was: a cursor alone, or with the refs as they were there.
   * Without it, the watch begins now.
   */
  since?: string | WatchState | undefined
}

/** One update of a watch. */
export interface WatchUpdate {
  /**
   * `start` = refs as they are when the watch begins, as moves from nothing, in pages. `moves` = the moves of one call.
   * `difference` = moves that were not told one by one: what a gap has hidden, or another program than the server has
   * moved. `gap` = moves are lost, and the watch does not know how the refs were; `start` follows anew.
   */
  readonly kind: 'start' | 'moves' | 'difference' | 'gap'
  /** Where the next watch goes on (`since`); undefined in the middle of `start` and of a difference. */
  readonly cursor: string | undefined
  /** An all-zero oid stands for "no such ref". */
  readonly moves: readonly MovedRef[]
  /** Of the call that made the moves; empty where `kind` is not `moves`. */
  readonly requestId: string
  /** When the moves were made, by the server's clock, in milliseconds since 1970; 0 where `kind` is not `moves`. */
  readonly timeMs: number
}
