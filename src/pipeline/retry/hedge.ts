import { BlobwireError, type Sent } from '../../core/error.ts'
import type { Call, EndListener, Progress, Settle } from '../../transport/transport.ts'
import { Attempt, type AttemptOwner } from '../attempt.ts'
import type { Lane } from '../lanes.ts'
import type { RetrierParts } from './parts.ts'

/** Where the failure of both attempts goes. */
export interface HedgeOwner {
  hedgeFailed(call: Call, settle: Settle, error: BlobwireError, lane: Lane): void
}

/**
 * A read that is asked for a second time, elsewhere if possible, when its first attempt has not been answered within the
 * delay. The first answer counts and the other attempt is ended; a failure counts once both have failed
 * ("The Tail at Scale", Dean and Barroso, 2013; gRFC A6, "Hedging Policy"). The second attempt costs what a retry costs.
 */
export class HedgedRead implements EndListener, AttemptOwner, Settle {
  readonly #call: Call
  readonly #settle: Settle
  readonly #parts: RetrierParts
  readonly #owner: HedgeOwner
  readonly #running = new Set<Attempt>()
  #cancelTimer: (() => void) | undefined
  #attempts = 0
  #sent: Sent = 'never'
  #over = false

  constructor(call: Call, settle: Settle, parts: RetrierParts, owner: HedgeOwner) {
    this.#call = call
    this.#settle = settle
    this.#parts = parts
    this.#owner = owner
  }

  /** @throws BlobwireError where no endpoint lets the first attempt in */
  start(delayMs: number): void {
    const first = this.#newAttempt()
    this.#call.whenEnded(this)
    this.#cancelTimer = this.#parts.clock.schedule(delayMs, () => this.#second(first.lane))
    first.start()
  }

  succeed(response: object): void {
    this.#finish(lost)
    this.#settle.succeed(response)
  }

  /** Never with an error of ours: those go to `attemptFailed`. */
  fail(error: unknown): void {
    this.#finish(lost)
    this.#settle.fail(error)
  }

  onCallEnded(error: BlobwireError): void {
    this.#finish(error)
  }

  progress(): Progress {
    let progress: Progress = { sent: this.#sent, attempts: this.#attempts }
    for (const attempt of this.#running) {
      const { sent, attempts, transport } = attempt.progress()
      progress = {
        sent: progress.sent === 'never' ? sent : progress.sent,
        attempts: progress.attempts + attempts,
        transport
      }
    }
    return progress
  }

  attemptFailed(error: BlobwireError, attempt: Attempt): void {
    this.#running.delete(attempt)
    this.#attempts += error.attempts
    if (error.sent !== 'never') this.#sent = error.sent
    if (this.#over || this.#running.size > 0) return
    this.#finish(error)
    const all = error.with({ attempts: this.#attempts, sent: this.#sent })
    this.#owner.hedgeFailed(this.#call, this.#settle, all, attempt.lane)
  }

  #second(lane: Lane): void {
    if (this.#over || !this.#parts.budget.take()) return
    try {
      const second = this.#newAttempt(lane)
      this.#parts.counters.hedges++
      second.start()
    } catch {
      // No endpoint lets it in: the first attempt is still under way.
    }
  }

  #newAttempt(avoid?: Lane): Attempt {
    const { routes, attempts, counters } = this.#parts
    const attempt = new Attempt(this.#call, this, this, routes.pick(this.#call, avoid), attempts)
    counters.attempts++
    this.#running.add(attempt)
    return attempt
  }

  #finish(error: BlobwireError): void {
    this.#over = true
    this.#cancelTimer?.()
    for (const attempt of this.#running) attempt.onCallEnded(error)
    this.#running.clear()
  }
}

const lost = new BlobwireError({
  code: 'cancelled',
  reason: 'hedge_lost',
  message: 'another attempt was answered first'
})
