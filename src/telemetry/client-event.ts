/** Events of a client that are rare: the logger writes them, and `diagnostics_channel` has them as `blobwire:event`. */
import type { BlobwireError, TransportName } from '../core/error.ts'

/**
 * A circuit breaker changed its state (`breaker_opened`, `breaker_closed`); a connection was opened, could not be opened or
 * ended (`connection_opened`, `connection_failed`, `connection_closed`); a session broke and its operations are sent again
 * (`session_lost`); calls travel as unary requests because there is no session (`session_unavailable`); another transport is
 * used instead of the preferred one (`transport_changed`); a call gets another attempt (`retry`); no byte of a transfer moved
 * for too long (`transfer_stalled`); a call took longer than `slowCallMs` (`slow_call`); an observer threw
 * (`observer_failed`).
 */
export type ClientEventName =
  | 'breaker_opened'
  | 'breaker_closed'
  | 'connection_opened'
  | 'connection_failed'
  | 'connection_closed'
  | 'session_lost'
  | 'session_unavailable'
  | 'transport_changed'
  | 'retry'
  | 'transfer_stalled'
  | 'slow_call'
  | 'observer_failed'

/** Facts about an event, as far as they are known; never tokens or contents. */
export interface ClientEventFacts {
  readonly endpoint?: string | undefined
  readonly transport?: TransportName | undefined
  /** Of the call, as the RPC is named: `StoreBlob`. */
  readonly method?: string | undefined
  readonly repository?: string | undefined
  readonly durationMs?: number | undefined
  readonly attempts?: number | undefined
  readonly delayMs?: number | undefined
  readonly requestId?: string | undefined
  /** Number of operations that are sent again. */
  readonly operations?: number | undefined
  readonly code?: string | undefined
  readonly reason?: string | undefined
  /** Message of the error. */
  readonly problem?: string | undefined
}

/** An event of a client. */
export interface ClientEvent extends ClientEventFacts {
  readonly event: ClientEventName
}

/** Takes events; see `Telemetry.report`. */
export type Report = (event: ClientEventName, facts: ClientEventFacts) => void

/** The facts of an error. */
export function factsOfError(error: BlobwireError | undefined): ClientEventFacts {
  if (error === undefined) return {}
  const { code, reason, message, requestId, endpoint, transport } = error
  return { code, reason: reason || undefined, problem: message, requestId, endpoint, transport }
}
