import type { Clock } from '../core/clock.ts'
import type { BlobwireError } from '../core/error.ts'

/** How long batches go as single requests before a session is tried again; doubled each time, up to the second. */
const firstProbeMs = 60_000
const lastProbeMs = 600_000

/** How batches travel, as `client.stats()` tells it. */
export type BatchingMode = 'session' | 'unary'

/**
 * Whether batches travel on a session or as unary requests, for all calls of a client. Decided once, remembered, and
 * tried again after a while.
 */
export class SessionFallback {
  readonly #clock: Clock
  #route: BatchingMode = 'session'
  #reason = ''
  #probeAtMs = 0
  #waitMs = firstProbeMs

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The way that calls take now. */
  get route(): BatchingMode {
    return this.#route
  }

  /** Why there is no session; empty where there is one. */
  get reason(): string {
    return this.#reason
  }

  /** Whether it is time to try a session again, beside the calls. Asking sets the time for the next try. */
  takeProbe(): boolean {
    const now = this.#clock.now()
    if (this.#route === 'session' || now < this.#probeAtMs) return false
    this.#waitMs = Math.min(this.#waitMs * 2, lastProbeMs)
    this.#probeAtMs = now + this.#waitMs
    return true
  }

  /** A session stands. */
  sessionWorks(): void {
    this.#route = 'session'
    this.#reason = ''
    this.#waitMs = firstProbeMs
  }

  /** A session cannot be had. */
  sessionFails(error: BlobwireError): void {
    if (this.#route === 'session') this.#probeAtMs = this.#clock.now() + this.#waitMs
    this.#route = 'unary'
    this.#reason = error.reason || error.code
  }
}

/** Ends of a session that had not begun which say that the peer, or what is in between, has none to offer. */
export function rulesOutSession(error: BlobwireError): boolean {
  const { code, reason } = error
  if (code === 'unimplemented' || reason === 'malformed_response' || reason === 'not_http2') return true
  // A proxy that does not know streams: its status is read, not its page.
  return code === 'unknown' || (code === 'internal' && reason === '') || reason === 'request_too_large'
}
