import type { Outcome } from '../balance/circuit-breaker.ts'
import type { Channel, Pick } from '../balance/picker.ts'
import type { DeadlineTimers, Timed } from '../call/deadline-timers.ts'
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import type { Method } from '../schema/descriptor.ts'
import type { Call, Cancellable, Progress, Sink } from '../transport/transport.ts'

/** What attempts have in common. */
export interface AttemptContext {
  readonly clock: Clock
  /** Milliseconds for one attempt; undefined = only the call's deadline counts. */
  readonly timeoutMs: number | undefined
  readonly timers: DeadlineTimers
  readonly counters: Counters
}

/** Where an attempt's failure goes. */
export interface AttemptOwner {
  attemptFailed(error: BlobwireError, attempt: Attempt): void
}

/** Failures that say that an endpoint is not well. Those that say something of the call do not count. */
const bad = new Set(['unavailable', 'deadline_exceeded', 'internal', 'unknown'])

/**
 * One try of a call at one endpoint. To the layers below it is the call and takes its answer; to those above it is what
 * they end. One object, because the first attempt of every call makes one.
 */
export class Attempt implements Call, Sink, Cancellable, Timed {
  readonly call: Call
  readonly channel: Channel
  readonly #context: AttemptContext
  readonly sink: Sink
  readonly #owner: AttemptOwner
  readonly #permit: number
  readonly #beganAtMs: number
  #over = false
  #listener: Cancellable | undefined
  #controller: AbortController | undefined
  #error: BlobwireError | undefined
  endsAt = 0
  previous: Timed | undefined
  next: Timed | undefined

  /** Its answer goes to `settle`, its failure to `owner`. The pass of its lane's breaker is left with its end. */
  constructor(call: Call, sink: Sink, owner: AttemptOwner, { channel, permit }: Pick, context: AttemptContext) {
    this.call = call
    this.channel = channel
    this.#context = context
    this.sink = sink
    this.#owner = owner
    this.#permit = permit
    this.#beganAtMs = context.clock.now()
    channel.inFlight++
  }

  /** Hands it to its lane. */
  start(): void {
    const { timeoutMs, timers } = this.#context
    if (timeoutMs !== undefined) {
      this.endsAt = this.#beganAtMs + timeoutMs
      timers.add(this, timeoutMs)
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

  get transport(): TransportName | undefined {
    return this.call.transport
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#error) this.#controller.abort(this.#error)
    }
    return this.#controller.signal
  }

  remainingMs(): number {
    const { timeoutMs, clock } = this.#context
    const ofCall = this.call.remainingMs()
    return timeoutMs === undefined ? ofCall : Math.min(ofCall, this.endsAt - clock.now())
  }

  onCancel(listener: Cancellable): void {
    this.#listener = listener
  }

  progress(): Progress {
    const { transport } = this.channel
    // Who does not tell has a request under way.
    return { ...(this.#listener?.progress() ?? { sent: 'maybe', attempts: 1 }), transport }
  }

  succeed(response: object): void {
    if (!this.#end('success')) return
    this.channel.verified = true
    this.sink.succeed(response)
  }

  fail(error: unknown): void {
    if (this.#over) return
    const found = this.#told(error)
    this.#end(found !== undefined && bad.has(found.code) && found.reason !== 'client_closed' ? 'failure' : 'none')
    if (found) this.#owner.attemptFailed(found, this)
    else this.sink.fail(error)
  }

  /** The call has ended, or another attempt has been faster. */
  cancel(error: BlobwireError): void {
    if (this.#over) return
    // An answer that did not come in time says something, unless the call never got on its way.
    const isSilence = error.code === 'deadline_exceeded' && this.progress().sent !== 'never'
    this.#end(isSilence ? 'failure' : 'none')
    this.#stop(error)
  }

  /** It has had its time. */
  onTime(): void {
    const message = `no answer within the ${this.#context.timeoutMs} ms of an attempt`
    const retryable = true
    const init = { code: 'deadline_exceeded', reason: 'attempt_timeout', message, retryable } as const
    const error = new BlobwireError({ ...init, ...this.progress() })
    if (!this.#end('failure')) return
    this.#context.counters.timeouts++
    this.#stop(error)
    this.#owner.attemptFailed(error, this)
  }

  /** Tells the layers below. */
  #stop(error: BlobwireError): void {
    this.#error = error
    this.#listener?.cancel(error)
    this.#controller?.abort(error)
  }

  /** Errors of operations in a frame come without: what travels there is the same for all transports. */
  #told(error: unknown): BlobwireError | undefined {
    if (!(error instanceof BlobwireError)) return undefined
    const { transport } = this.channel
    return error.transport === undefined && error.sent !== 'never' ? error.with({ transport }) : error
  }

  /** False = it is over already. */
  #end(outcome: Outcome): boolean {
    if (this.#over) return false
    this.#over = true
    const { timeoutMs, timers } = this.#context
    if (timeoutMs !== undefined) timers.remove(this, timeoutMs)
    const { channel } = this
    channel.inFlight--
    if (channel.breaker === undefined) return true
    const { closings } = channel.breaker
    channel.breaker.record(this.#permit, outcome, this.#beganAtMs)
    if (channel.breaker.closings > closings) channel.returnedAtMs = this.#context.clock.now()
    return true
  }
}
