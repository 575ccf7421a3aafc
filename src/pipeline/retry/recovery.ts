import pRetry from 'p-retry'
import { BlobwireError, moreSent, type Sent } from '../../core/error.ts'
import type { Call, EndListener, Progress, Settle } from '../../transport/transport.ts'
import { Attempt, type AttemptOwner } from '../attempt.ts'
import type { Lane } from '../lanes.ts'
import type { NoRetry } from './decision.ts'
import type { RetrierParts } from './parts.ts'

/** A call after its first failure: waits, tries again, and tells what came of all attempts together. */
export class Recovery implements EndListener, AttemptOwner {
  readonly #call: Call
  readonly #settle: Settle
  readonly #parts: RetrierParts
  #lane: Lane | undefined
  #attempt: Attempt | undefined
  /** Of attempts that are over. */
  #attempts = 0
  #sent: Sent = 'never'
  #failures = 0
  #ended: BlobwireError | undefined
  #wake: (() => void) | undefined
  #rejectAttempt: (error: BlobwireError) => void = () => undefined
  #reason: NoRetry = 'final'
  /** What the last attempt came to, by all that is known of the endpoint. */
  #verdict: BlobwireError | undefined
  /** Of the last attempt that was made. */
  #last: BlobwireError | undefined

  constructor(call: Call, settle: Settle, parts: RetrierParts) {
    this.#call = call
    this.#settle = settle
    this.#parts = parts
    call.whenEnded(this)
  }

  /** Goes on from the failure of the first attempt. */
  async run(first: BlobwireError, lane: Lane): Promise<void> {
    this.#lane = lane
    this.#note(first)
    try {
      const response = await pRetry((number) => (number === 1 ? Promise.reject(first) : this.#tryAgain()), {
        // The counting is ours, because going on by another transport does not count, and so is the waiting: on the
        // client's clock, with full jitter, and over at once when the call ends.
        retries: Number.POSITIVE_INFINITY,
        minTimeout: 0,
        shouldRetry: ({ error }) => this.#mayTryAgain(error as BlobwireError)
      })
      this.#settle.succeed(response)
    } catch (error) {
      this.#settle.fail(this.#summary(this.#verdict ?? error))
    }
  }

  onCallEnded(error: BlobwireError): void {
    this.#ended = error
    this.#wake?.()
    this.#attempt?.onCallEnded(error)
    this.#rejectAttempt(error)
  }

  progress(): Progress {
    const now = this.#attempt?.progress()
    return {
      sent: moreSent(this.#sent, now?.sent ?? 'never'),
      attempts: this.#attempts + (now?.attempts ?? 0),
      transport: now?.transport ?? this.#lane?.transport
    }
  }

  attemptFailed(error: BlobwireError): void {
    this.#attempt = undefined
    this.#note(error)
    this.#rejectAttempt(error)
  }

  #note(error: BlobwireError): void {
    this.#last = error
    this.#attempts += error.attempts
    this.#sent = moreSent(this.#sent, error.sent)
  }

  #tryAgain(): Promise<object> {
    return new Promise((succeed, fail) => {
      this.#rejectAttempt = fail
      if (this.#ended !== undefined) throw this.#ended
      const { routes, attempts, counters } = this.#parts
      const picked = routes.pick(this.#call, this.#lane)
      counters.attempts++
      counters.retries++
      this.#lane = picked.lane
      this.#attempt = new Attempt(this.#call, { succeed, fail }, this, picked, attempts)
      this.#attempt.start()
    })
  }

  #fallsBack(error: BlobwireError): boolean {
    return this.#lane !== undefined && this.#parts.routes.fallsBack(this.#call, this.#lane, error)
  }

  /** Waits until the next attempt may begin; false = there is none. */
  async #mayTryAgain(found: BlobwireError): Promise<boolean> {
    this.#verdict = undefined
    if (this.#ended !== undefined) return false
    if (this.#fallsBack(found)) return true
    const { decision, routes } = this.#parts
    const error = this.#lane === undefined ? found : routes.failureOf(this.#call, this.#lane, found)
    this.#verdict = error
    const elsewhere = this.#lane !== undefined && routes.hasOther(this.#call, this.#lane)
    // What the layers below sent again by themselves counts, or three attempts would be nine at the server.
    this.#failures += Math.max(1, error.attempts)
    const failures = this.#failures
    const waitMs = decision.after({
      error,
      failures,
      remainingMs: this.#call.remainingMs(),
      elsewhere,
      // A read that can go elsewhere need not wait; where it failed gets no load from that.
      atOnce: elsewhere && failures === 1 && this.#call.method.readOnly
    })
    if (typeof waitMs === 'string') {
      this.#reason = waitMs
      return false
    }
    if (waitMs > 0) await this.#sleep(waitMs)
    return this.#ended === undefined
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      // Between two attempts there may be no socket that would keep the process from ending.
      const cancel = this.#parts.clock.schedule(ms, resolve, true)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }

  #summary(error: unknown): unknown {
    if (!(error instanceof BlobwireError)) return error
    const facts = { attempts: this.#attempts, sent: moreSent(this.#sent, error.sent) }
    // A breaker that opened in the meantime says nothing of what happened.
    if (error.reason === 'circuit_open') return error.with({ ...facts, cause: this.#last })
    if (this.#reason === 'final') return error.with(facts)
    return error.with({ ...facts, reason: this.#reason, cause: error })
  }
}
