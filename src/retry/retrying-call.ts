import pRetry from 'p-retry'
import type { Channel } from '../balance/picker.ts'
import { BlobwireError, moreSent, type Sent } from '../core/error.ts'
import type { Call, Cancellable, Progress, Sink } from '../transport/transport.ts'
import { Attempt, type AttemptOwner } from './attempt.ts'
import type { RetryRefusal } from './policy.ts'
import type { RetrierContext } from './retrier-context.ts'

/** A call after its first failure: waits, tries again, and tells what came of all attempts together. */
export class RetryingCall implements Cancellable, AttemptOwner {
  readonly #call: Call
  readonly #sink: Sink
  readonly #context: RetrierContext
  #channel: Channel | undefined
  #attempt: Attempt | undefined
  /** Of attempts that are over. */
  #attempts = 0
  #sent: Sent = 'never'
  #failures = 0
  #ended: BlobwireError | undefined
  #wake: (() => void) | undefined
  #rejectAttempt: (error: BlobwireError) => void = () => undefined
  #reason: RetryRefusal = 'not_retryable'
  /** What the last attempt came to, by all that is known of the endpoint. */
  #verdict: BlobwireError | undefined
  /** Of the last attempt that was made. */
  #last: BlobwireError | undefined

  constructor(call: Call, sink: Sink, context: RetrierContext) {
    this.#call = call
    this.#sink = sink
    this.#context = context
    call.onCancel(this)
  }

  /** Goes on from the failure of the first attempt. */
  async run(first: BlobwireError, channel: Channel): Promise<void> {
    this.#channel = channel
    this.#note(first)
    try {
      const response = await pRetry((number) => (number === 1 ? Promise.reject(first) : this.#tryAgain()), {
        // The counting is ours, because going on by another transport does not count, and so is the waiting: on the
        // client's clock, with full jitter, and over at once when the call ends.
        retries: Number.POSITIVE_INFINITY,
        minTimeout: 0,
        shouldRetry: ({ error }) => this.#mayTryAgain(error as BlobwireError)
      })
      this.#sink.succeed(response)
    } catch (error) {
      this.#sink.fail(this.#summary(this.#verdict ?? error))
    }
  }

  cancel(error: BlobwireError): void {
    this.#ended = error
    this.#wake?.()
    this.#attempt?.cancel(error)
    this.#rejectAttempt(error)
  }

  progress(): Progress {
    const now = this.#attempt?.progress()
    return {
      sent: moreSent(this.#sent, now?.sent ?? 'never'),
      attempts: this.#attempts + (now?.attempts ?? 0),
      transport: now?.transport ?? this.#channel?.transport
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
      const { selector, attempts, counters } = this.#context
      const picked = selector.pick(this.#call, this.#channel)
      counters.attempts++
      counters.retries++
      this.#channel = picked.channel
      this.#attempt = new Attempt(this.#call, { succeed, fail }, this, picked, attempts)
      this.#attempt.start()
    })
  }

  #fallsBack(error: BlobwireError): boolean {
    return this.#channel !== undefined && this.#context.selector.fallsBack(this.#call, this.#channel, error)
  }

  /** Waits until the next attempt may begin; false = there is none. */
  async #mayTryAgain(found: BlobwireError): Promise<boolean> {
    this.#verdict = undefined
    if (this.#ended !== undefined) return false
    if (this.#fallsBack(found)) return true
    const { decision, selector } = this.#context
    const error = this.#channel === undefined ? found : selector.failureOf(this.#call, this.#channel, found)
    this.#verdict = error
    const elsewhere = this.#channel !== undefined && selector.hasOther(this.#call, this.#channel)
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
      const cancel = this.#context.clock.schedule(ms, resolve, true)
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
    if (this.#reason === 'not_retryable') return error.with(facts)
    return error.with({ ...facts, reason: this.#reason, cause: error })
  }
}
