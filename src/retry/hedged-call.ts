/** A read that gets a second attempt beside a slow first one. */
import type { Channel, Pick } from '../balance/picker.ts'
import type { Call, Cancellable, Progress, Sink } from '../call/call.ts'
import { BlobwireError, type Sent } from '../core/error.ts'
import { Attempt, type AttemptOwner } from './attempt.ts'
import type { RetrierContext } from './retrier-context.ts'

/** Takes the failure of both attempts. */
export interface HedgedCallOwner {
  hedgeFailed(call: Call, sink: Sink, error: BlobwireError, channel: Channel): void
}

/**
 * The second attempt begins, at another endpoint if possible, when the first has had no answer within the delay. The
 * first answer counts and the other attempt is cancelled; a failure counts once both attempts have failed
 * ("The Tail at Scale", Dean and Barroso, 2013; gRFC A6, "Hedging Policy"). The second attempt costs what a retry costs.
 */
export class HedgedCall implements Cancellable, AttemptOwner, Sink {
  readonly #call: Call
  readonly #sink: Sink
  readonly #context: RetrierContext
  readonly #owner: HedgedCallOwner
  readonly #running = new Set<Attempt>()
  #cancelTimer: (() => void) | undefined
  #attempts = 0
  #sent: Sent = 'never'
  #over = false

  constructor(call: Call, sink: Sink, context: RetrierContext, owner: HedgedCallOwner) {
    this.#call = call
    this.#sink = sink
    this.#context = context
    this.#owner = owner
  }

  /** `pick` is that of the first attempt. */
  start(delayMs: number, pick: Pick): void {
    const first = this.#newAttempt(pick)
    this.#call.onCancel(this)
    this.#cancelTimer = this.#context.clock.schedule(delayMs, () => this.#second(first.channel))
    first.start()
  }

  succeed(response: object): void {
    this.#finish(lost)
    this.#sink.succeed(response)
  }

  /** Only exceptions of other kinds come here; a `BlobwireError` goes to `attemptFailed`. */
  fail(error: unknown): void {
    this.#finish(lost)
    this.#sink.fail(error)
  }

  cancel(error: BlobwireError): void {
    this.#finish(error)
  }

  progress(): Progress {
    let progress: Progress = { sent: this.#sent, attempts: this.#attempts }
    for (const attempt of this.#running) {
      const { sent, attempts, transport, endpoint } = attempt.progress()
      progress = {
        sent: progress.sent === 'never' ? sent : progress.sent,
        attempts: progress.attempts + attempts,
        transport,
        endpoint
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
    const all = error.with({ attempts: this.#attempts, sent: this.#sent, endpoint: attempt.channel.endpoint })
    this.#owner.hedgeFailed(this.#call, this.#sink, all, attempt.channel)
  }

  #second(channel: Channel): void {
    if (this.#over || !this.#context.budget.take()) return
    const pick = this.#context.selector.pick(this.#call, channel)
    // No endpoint takes it: the first attempt is still under way.
    if (pick === undefined) return this.#context.budget.refund()
    const second = this.#newAttempt(pick)
    this.#context.counters.hedges++
    second.start()
  }

  #newAttempt(pick: Pick): Attempt {
    const { attempts, counters } = this.#context
    const attempt = new Attempt(this.#call, this, this, pick, attempts)
    counters.attempts++
    this.#running.add(attempt)
    return attempt
  }

  #finish(error: BlobwireError): void {
    this.#over = true
    this.#cancelTimer?.()
    for (const attempt of this.#running) attempt.cancel(error)
    this.#running.clear()
  }
}

const lost = new BlobwireError({ reason: 'hedge_lost', message: 'another attempt was answered first' })
