/** Sends each call, and again where that is worth it. */
import type { Channel } from '../balance/picker.ts'
import type { Call, Sink } from '../call/call.ts'
import type { BlobwireError } from '../core/error.ts'
import { mayRetry } from '../core/reasons.ts'
import { Attempt, type AttemptOwner } from './attempt.ts'
import { HedgedCall, type HedgedCallOwner } from './hedged-call.ts'
import type { RetrierContext } from './retrier-context.ts'
import { RetryingCall } from './retrying-call.ts'

/** The first attempt of a call runs straight; the retry loop is entered with the first failure. */
export class Retrier implements AttemptOwner, HedgedCallOwner {
  readonly #context: RetrierContext

  constructor(context: RetrierContext) {
    this.#context = context
  }

  /** Sends a call. */
  submit(call: Call, sink: Sink): void {
    const { selector, attempts, counters } = this.#context
    const hedge = call.policy?.hedge ?? this.#context.hedge
    try {
      const pick = selector.pick(call)
      if (pick === undefined) {
        new RetryingCall(call, sink, this.#context).run()
        return
      }
      if (hedge && call.method.readOnly) {
        new HedgedCall(call, sink, this.#context, this).start(hedge.delayMs, pick)
        return
      }
      const attempt = new Attempt(call, sink, this, pick, attempts)
      counters.attempts++
      call.onCancel(attempt)
      attempt.start()
    } catch (error) {
      sink.fail(error)
    }
  }

  /** The first attempt of a call has failed. */
  attemptFailed(error: BlobwireError, { call, sink, channel }: Attempt): void {
    this.hedgeFailed(call, sink, error, channel)
  }

  /** All attempts that were under way for a call have failed. */
  hedgeFailed(call: Call, sink: Sink, error: BlobwireError, channel: Channel): void {
    const { selector, options } = this.#context
    const failure = selector.failureOf(call, channel, error)
    const maxAttempts = call.policy?.maxAttempts ?? options.maxAttempts
    const isWorthwhile = (maxAttempts > 1 && mayRetry(failure)) || selector.fallsBack(call, channel, error)
    if (isWorthwhile) new RetryingCall(call, sink, this.#context).run(error, channel)
    else sink.fail(failure)
  }
}
