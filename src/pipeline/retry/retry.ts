import type { BlobwireError } from '../../core/error.ts'
import type { Call, Settle } from '../../transport/transport.ts'
import { Attempt, type AttemptOwner } from '../attempt.ts'
import type { Lane } from '../lanes.ts'
import { HedgedRead, type HedgeOwner } from './hedge.ts'
import type { RetrierParts } from './parts.ts'
import { Recovery } from './recovery.ts'
import { isRetryable } from './rules.ts'

/**
 * Sends each call, and again where that is worth it. The first attempt runs straight; the loop is entered with the first
 * failure.
 */
export class Retrier implements AttemptOwner, HedgeOwner {
  readonly #parts: RetrierParts

  constructor(parts: RetrierParts) {
    this.#parts = parts
  }

  /** Sends a call. */
  submit(call: Call, settle: Settle): void {
    const { routes, budget, attempts, counters, hedge } = this.#parts
    try {
      budget.called()
      if (hedge && call.method.readOnly) {
        new HedgedRead(call, settle, this.#parts, this).start(hedge.delayMs)
        return
      }
      const picked = routes.pick(call)
      counters.attempts++
      const attempt = new Attempt(call, settle, this, picked, attempts)
      call.whenEnded(attempt)
      attempt.start()
    } catch (error) {
      settle.fail(error)
    }
  }

  /** The first attempt of a call has failed. */
  attemptFailed(error: BlobwireError, { call, settle, lane }: Attempt): void {
    this.hedgeFailed(call, settle, error, lane)
  }

  /** All attempts that were under way for a call have failed. */
  hedgeFailed(call: Call, settle: Settle, error: BlobwireError, lane: Lane): void {
    const { routes, options } = this.#parts
    const found = routes.failureOf(call, lane, error)
    const worth = (options.maxAttempts > 1 && isRetryable(found)) || routes.fallsBack(call, lane, error)
    if (worth) new Recovery(call, settle, this.#parts).run(error, lane)
    else settle.fail(found)
  }
}
