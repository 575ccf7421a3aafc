/** One try of a call at one endpoint. */

import { type Ending, endingOf } from '../balance/adaptive-limits.ts'
import { type Outcome, outcomeOf } from '../balance/outcome.ts'
import type { Channel, Pick } from '../balance/picker.ts'
import type { OwnHeaders } from '../batch/own-headers.ts'
import type { Call, Cancellable, Progress, Sink } from '../call/call.ts'
import type { DeadlineTimers, Timed } from '../call/deadline-timers.ts'
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import type { Method } from '../schema/descriptor.ts'
import type { ObservedAttempt, ObserverHeader } from '../telemetry/observed-call.ts'

/** Shared by all attempts of a client. */
export interface AttemptContext {
  readonly clock: Clock
  readonly timers: DeadlineTimers
  readonly counters: Counters
  /** See `KeyedCall`. */
  readonly maxSends?: number
}

/** Takes the failure of an attempt. */
export interface AttemptOwner {
  attemptFailed(error: BlobwireError, attempt: Attempt): void
}

/**
 * The layers below take an attempt for the call and give it the answer; the layers above cancel it. One object serves
 * both, because every call makes one.
 */
export class Attempt implements Call, Sink, Cancellable, Timed {
  readonly call: Call
  readonly channel: Channel
  readonly sink: Sink
  readonly #context: AttemptContext
  readonly #owner: AttemptOwner
  readonly #permit: number
  readonly #beganAtMs: number
  readonly events: ObservedAttempt | undefined
  /** Milliseconds for this attempt; undefined = only the call's deadline counts. */
  #timeoutMs: number | undefined
  #over = false
  #part: Cancellable | undefined
  #controller: AbortController | undefined
  #error: BlobwireError | undefined
  endsAt = 0
  previous: Timed | undefined
  next: Timed | undefined

  /** The answer goes to `sink`, the failure to `owner`; either way the breaker of the channel gets its permit back. */
  constructor(call: Call, sink: Sink, owner: AttemptOwner, { channel, permit }: Pick, context: AttemptContext) {
    this.call = call
    this.sink = sink
    this.channel = channel
    this.#context = context
    this.#owner = owner
    this.#permit = permit
    this.#beganAtMs = context.clock.now()
    this.events = call.observed?.attemptStarted(channel)
    channel.attempts++
    channel.inFlight++
  }

  /** Hands the call to the channel. */
  start(): void {
    const { attemptTimeoutMs, adaptive } = this.channel
    const timeoutMs =
      this.call.policy?.attemptTimeoutMs ??
      (adaptive?.timeout === undefined ? attemptTimeoutMs : adaptive.timeout.limitMs(this.call))
    if (timeoutMs !== undefined) {
      this.#timeoutMs = timeoutMs
      this.endsAt = this.#beganAtMs + timeoutMs
      this.#context.timers.add(this, timeoutMs)
    }
    this.channel.submit(this, this)
  }

  get method(): Method {
    return this.call.method
  }

  get request(): object {
    return this.call.request
  }

  get headers(): Readonly<Record<string, string>> {
    return this.call.headers
  }

  get ownHeaders(): OwnHeaders | undefined {
    return this.call.ownHeaders
  }

  get observerHeaders(): readonly ObserverHeader[] | undefined {
    return this.events?.headers
  }

  get isBackground(): boolean {
    return this.call.isBackground === true
  }

  get requestKey(): string | undefined {
    return this.call.requestKey
  }

  get maxSends(): number | undefined {
    return this.#context.maxSends
  }

  get transport(): TransportName | undefined {
    return this.call.transport
  }

  get token(): string | undefined {
    return this.call.token
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#error) this.#controller.abort(this.#error)
    }
    return this.#controller.signal
  }

  remainingMs(): number {
    const ofCall = this.call.remainingMs()
    return this.#timeoutMs === undefined ? ofCall : Math.min(ofCall, this.endsAt - this.#context.clock.now())
  }

  onCancel(part: Cancellable): void {
    this.#part = part
  }

  progress(): Progress {
    const { transport, endpoint } = this.channel
    // Without a part that knows better, a request is under way.
    return { ...(this.#part?.progress() ?? { sent: 'maybe', attempts: 1 }), transport, endpoint }
  }

  succeed(response: object): void {
    if (!this.#end('success', 'answered')) return
    this.events?.ended(undefined)
    this.channel.verified = true
    this.sink.succeed(response)
  }

  fail(error: unknown, isResult = false): void {
    if (this.#over) return
    const failure = this.#withTransport(error)
    this.#failed(failure, isResult)
    if (failure) this.#owner.attemptFailed(failure, this)
    else this.sink.fail(error)
  }

  /** The call has ended, or another attempt was answered first. */
  cancel(error: BlobwireError): void {
    if (this.#over) return
    // A deadline may say something about the endpoint, unless the call never got on its way there.
    if (this.progress().sent !== 'never') this.#failed(error, false)
    else if (this.#end('none')) this.events?.ended(error)
    this.#stop(error)
  }

  /** `attemptTimeoutMs` has passed. */
  onTime(): void {
    const message = `no answer within the ${this.#timeoutMs} ms of an attempt`
    const error = new BlobwireError({ reason: 'attempt_timeout', message, ...this.progress() })
    if (this.#over) return
    this.#failed(error, false)
    this.#context.counters.timeouts++
    this.#stop(error)
    this.#owner.attemptFailed(error, this)
  }

  #failed(error: BlobwireError | undefined, isResult: boolean): void {
    this.events?.ended(error)
    if (error === undefined) return void this.#end('none')
    this.channel.failures.add(error)
    const outcome = isResult ? 'success' : outcomeOf(error, this.channel.isSilentSince(this.#beganAtMs))
    if (outcome === 'failure') this.channel.lastFailure = error
    this.#end(outcome, isResult ? 'answered' : endingOf(error, outcome))
  }

  /** Tells the layers below. */
  #stop(error: BlobwireError): void {
    this.#error = error
    this.#part?.cancel(error)
    this.#controller?.abort(error)
  }

  /** Errors of operations in a frame name no transport: the frame's content is the same for all. */
  #withTransport(error: unknown): BlobwireError | undefined {
    if (!(error instanceof BlobwireError)) return undefined
    const { transport } = this.channel
    return error.transport === undefined && error.sent !== 'never' ? error.with({ transport }) : error
  }

  /** False = the attempt is over already. */
  #end(outcome: Outcome, ending: Ending = 'none'): boolean {
    if (this.#over) return false
    this.#over = true
    const { adaptive, inFlight } = this.channel
    if (adaptive !== undefined) adaptive.ended(this.call, ending, { beganAtMs: this.#beganAtMs, inFlight })
    if (this.#timeoutMs !== undefined) this.#context.timers.remove(this, this.#timeoutMs)
    this.channel.attemptEnded(this.#permit, outcome, this.#beganAtMs)
    return true
  }
}
