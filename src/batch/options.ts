import type { UnframedCounters } from '../core/counters.ts'

/** How the client gathers calls into frames; see `ClientOptions.batch`. */
export interface BatchOptions {
  /**
   * Maximum number of operations in one frame. The server's own limit applies where it is lower.
   * @default 256
   */
  maxOperations?: number | undefined
  /**
   * Maximum size of one frame, in bytes. A larger operation is sent in a frame of its own. The server's own limit
   * applies where it is lower.
   * @default 262144
   */
  maxBytes?: number | undefined
  /**
   * Time that the first call of a frame waits for further calls while no frame is in flight, in milliseconds; 0 = the
   * frame is sent at once.
   * @default 0
   */
  lingerMs?: number | undefined
  /**
   * Maximum number of frames in flight. Within this bound, the client adapts the number to the round trip time.
   * @default 64
   */
  framesInFlight?: number | undefined
  /**
   * Maximum number of operations that wait for a frame. Further calls fail with `resource_exhausted`, reason
   * `queue_full`.
   * @default 100000
   */
  maxQueued?: number | undefined
  /**
   * Approximate maximum size of the operations that wait for a frame, in bytes. An empty queue accepts one operation of
   * any size. The client does not copy contents that wait, so that this bounds the caller's memory.
   * @default 1073741824
   */
  maxQueuedBytes?: number | undefined
}

/** With every default in place. */
export type ResolvedBatchOptions = { [Key in keyof BatchOptions]-?: number }

/** Why a call cannot travel in a frame; see `UnframedCounters`. */
export type UnframedReason = keyof UnframedCounters

/** How batches travel, as `client.stats()` tells it. */
export type BatchingMode = 'session' | 'unary'
