/**
 * A call after its first failure, or one that met open breakers: waits, tries again, and tells the outcome of all attempts
 * together.
 */

import { hadNoConnection } from '../balance/outcome.ts'
import type { Channel } from '../balance/picker.ts'
import type { Waiter } from '../balance/waiting-room.ts'
import type { Call, Cancellable, Progress, Sink } from '../call/call.ts'
import { BlobwireError, moreSent, type Sent } from '../core/error.ts'
import { factsOfError } from '../telemetry/client-event.ts'
import { Attempt, type AttemptContext, type AttemptOwner } from './attempt.ts'
import type { RetryRefusal } from './policy.ts'
import { repeat } from './repeat.ts'
import type { RetrierContext } from './retrier-context.ts'

/** A wait for breakers ends this long before the call's deadline, so that its error tells why. */
const leadMs = 20

export class RetryingCall implements Cancellable, AttemptOwner, Waiter {
  readonly #call: Call
  readonly #sink: Sink
  readonly #context: RetrierContext
  #channel: Channel | undefined
  #attempt: Attempt | undefined
  /** Of attempts that are over. */
  #attempts = 0
  #sent: Sent = 'never'
  #failures = 0
  #cancelled: BlobwireError | undefined
  #wake: (() => void) | undefined
  #settleAttempt: Sink = { succeed: () => undefined, fail: () => undefined }
  /** Milliseconds that the call may still wait for breakers. */
  #waitLeftMs: number
  #waitsSinceMs: number | undefined
  waitsUntilMs = 0
  /** The attempt is the probe of a breaker. */
  #isProbe = false
  #refusal: RetryRefusal = 'not_retryable'
  /** The last attempt's failure, in the light of all that is known of the endpoint. */
  #failure: BlobwireError | undefined
  /** The last attempt's own error. */
  #lastError: BlobwireError | undefined

  constructor(call: Call, sink: Sink, context: RetrierContext) {
    this.#call = call
    this.#sink = sink
    this.#context = context
    this.#waitLeftMs = context.waits.breakerWaitMs
    call.onCancel(this)
  }

  /** Goes on from the failure of the first attempt; without one, no breaker gave a permit for it. */
  async run(first?: BlobwireError, channel?: Channel): Promise<void> {
    this.#channel = channel
    if (first) this.#note(first)
    try {
      const response = await repeat(
        (number) => (first && number === 1 ? Promise.reject(first) : this.#tryAgain()),
        (error) => this.#shouldRetry(error as BlobwireError)
      )
      this.#sink.succeed(response)
    } catch (error) {
      this.#sink.fail(this.#summary(this.#failure ?? error))
    }
  }

  cancel(error: BlobwireError): void {
    this.#cancelled = error
    this.#wake?.()
    if (this.#waitsSinceMs !== undefined) this.#context.selector.waitingRoom(this.#call).leave(this)
    this.#attempt?.cancel(error)
    this.#settleAttempt.fail(error)
  }

  progress(): Progress {
    const now = this.#attempt?.progress()
    return {
      sent: moreSent(this.#sent, now?.sent ?? 'never'),
      attempts: this.#attempts + (now?.attempts ?? 0),
      transport: now?.transport ?? this.#channel?.transport,
      endpoint: now?.endpoint ?? this.#channel?.endpoint
    }
  }

  attemptFailed(error: BlobwireError): void {
    this.#attempt = undefined
    this.#note(error)
    this.#settleAttempt.fail(error)
  }

  #note(error: BlobwireError): void {
    this.#lastError = error
    this.#attempts += error.attempts
    this.#sent = moreSent(this.#sent, error.sent)
  }

  #tryAgain(): Promise<object> {
    return new Promise((succeed, fail) => {
      this.#settleAttempt = { succeed, fail }
      if (this.#cancelled !== undefined) throw this.#cancelled
      if (!this.begin()) this.#waitForBreaker()
    })
  }

  /** Begins an attempt. False = no breaker gives a permit. */
  begin(): boolean {
    const { selector, counters, clock } = this.#context
    const pick = selector.pick(this.#call, this.#channel)
    if (pick === undefined) return false
    if (this.#waitsSinceMs !== undefined) this.#waitLeftMs -= clock.now() - this.#waitsSinceMs
    this.#waitsSinceMs = undefined
    counters.attempts++
    if (this.#lastError !== undefined) counters.retries++
    this.#channel = pick.channel
    this.#isProbe = pick.channel.breaker?.state === 'half_open'
    this.#attempt = new Attempt(this.#call, this.#settleAttempt, this, pick, this.#attemptContext())
    this.#attempt.start()
    return true
  }

  /** What is sent again below counts, so that all attempts together are no more than `maxAttempts`. */
  #attemptContext(): AttemptContext {
    const { attempts, options } = this.#context
    const maxAttempts = this.#call.policy?.maxAttempts ?? options.maxAttempts
    return { ...attempts, maxSends: Math.max(1, maxAttempts - this.#failures) }
  }

  giveUp(): void {
    this.#waitsSinceMs = undefined
    this.#settleAttempt.fail(this.#context.selector.circuitOpen(this.#call))
  }

  #waitForBreaker(): void {
    const waitMs = Math.min(this.#waitLeftMs, this.#call.remainingMs() - leadMs)
    if (waitMs <= 0) return this.giveUp()
    this.#waitsSinceMs = this.#context.clock.now()
    this.#call.observed?.event('blocked')
    this.waitsUntilMs = this.#waitsSinceMs + waitMs
    this.#context.selector.waitingRoom(this.#call).enter(this)
  }

  /** Waits until the next attempt may begin; false = there is none. */
  async #shouldRetry(found: BlobwireError): Promise<boolean> {
    this.#failure = undefined
    if (this.#cancelled !== undefined) return false
    const { policy, selector } = this.#context
    const channel = this.#channel
    if (channel !== undefined && selector.fallsBack(this.#call, channel, found)) return true
    const error = channel === undefined ? found : selector.failureOf(this.#call, channel, found)
    this.#failure = error
    const elsewhere = channel !== undefined && selector.hasOther(this.#call, channel)
    // Attempts that the layers below made by themselves count, or three attempts would be nine at the server. A probe that
    // had no connection does not: it was made for all calls.
    if (!(this.#isProbe && hadNoConnection(error))) this.#failures += Math.max(1, error.attempts)
    const failures = this.#failures
    const delay = policy.delayMs({
      error,
      failures,
      remainingMs: this.#call.remainingMs(),
      maxAttempts: this.#call.policy?.maxAttempts,
      elsewhere,
      // A read that can go elsewhere need not wait: the endpoint that failed gets no load from that.
      atOnce: elsewhere && failures === 1 && this.#call.method.readOnly
    })
    if (typeof delay === 'string') {
      this.#refusal = delay
      return false
    }
    this.#call.observed?.event('retry', { delayMs: delay, error })
    const { endpoint, transport } = channel ?? {}
    this.#context.telemetry.report('retry', {
      method: this.#call.method.name,
      delayMs: delay,
      attempts: failures,
      endpoint,
      transport,
      ...factsOfError(error)
    })
    if (delay > 0) await this.#sleep(delay)
    return this.#cancelled === undefined
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#context.clock.schedule(ms, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }

  #summary(error: unknown): unknown {
    if (!(error instanceof BlobwireError)) return error
    const facts = { attempts: this.#attempts, sent: moreSent(this.#sent, error.sent) }
    // A breaker that opened meanwhile does not tell why the call failed.
    if (error.is('circuit_open')) {
      return error.with({ ...facts, transport: this.#channel?.transport, cause: this.#lastError ?? error.cause })
    }
    if (this.#refusal === 'not_retryable') return error.with(facts)
    return error.with({ ...facts, reason: this.#refusal, cause: error })
  }
}
