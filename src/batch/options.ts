/** How calls are gathered into frames; see `ClientOptions.batch`. */
export interface BatchOptions {
  /**
   * Most operations in one frame. Fewer where the server allows fewer.
   * @default 256
   */
  maxOperations?: number | undefined
  /**
   * A frame is sent before it has more bytes than this; a larger operation travels alone. Fewer where the server allows
   * fewer.
   * @default 262144
   */
  maxBytes?: number | undefined
  /**
   * Milliseconds that the first call of a frame waits for others while nothing is under way. 0 = none.
   * @default 0
   */
  lingerMs?: number | undefined
  /**
   * Most frames that have been sent and not been answered; how many there are follows from the round trip.
   * @default 64
   */
  framesInFlight?: number | undefined
  /**
   * Most operations that wait for their frame. Beyond it, calls are refused with `resource_exhausted`, reason
   * `queue_full`.
   * @default 100000
   */
  maxQueued?: number | undefined
  /**
   * Most bytes of such operations, about; one is taken however large it is. Contents wait as they are, not copied, so
   * that this bounds what the caller has made, rather than what the client adds.
   * @default 1073741824
   */
  maxQueuedBytes?: number | undefined
}

/** With every default in place. */
export type ResolvedBatchOptions = { [Key in keyof BatchOptions]-?: number }

/** How batches travel, as `client.stats()` tells it. */
export type BatchingMode = 'session' | 'unary'
