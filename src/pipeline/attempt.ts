import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import type { Method } from '../schema/shape.ts'
import type { Call, EndListener, Progress, Settle } from '../transport/transport.ts'
import type { Outcome } from './breaker.ts'
import type { Lane, Picked } from './lanes.ts'
import type { SharedTimers, Timed } from './shared-timers.ts'

/** What attempts have in common. */
export interface AttemptSetting {
  readonly clock: Clock
  /** Milliseconds for one attempt; undefined = only the call's deadline counts. */
  readonly timeoutMs: number | undefined
  readonly timers: SharedTimers
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
export class Attempt implements Call, Settle, EndListener, Timed {
  readonly call: Call
  readonly lane: Lane
  readonly #setting: AttemptSetting
  readonly settle: Settle
  readonly #owner: AttemptOwner
  readonly #pass: number
  readonly #beganAtMs: number
  #over = false
  #listener: EndListener | undefined
  #controller: AbortController | undefined
  #error: BlobwireError | undefined
  endsAt = 0
  previous: Timed | undefined
  next: Timed | undefined

  /** Its answer goes to `settle`, its failure to `owner`. The pass of its lane's breaker is left with its end. */
  constructor(call: Call, settle: Settle, owner: AttemptOwner, { lane, pass }: Picked, setting: AttemptSetting) {
    this.call = call
    this.lane = lane
    this.#setting = setting
    this.settle = settle
    this.#owner = owner
    this.#pass = pass
    this.#beganAtMs = setting.clock.now()
    lane.inFlight++
  }

  /** Hands it to its lane. */
  start(): void {
    const { timeoutMs, timers } = this.#setting
    if (timeoutMs !== undefined) {
      this.endsAt = this.#beganAtMs + timeoutMs
      timers.add(this, timeoutMs)
    }
    this.lane.submit(this, this)
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
    const { timeoutMs, clock } = this.#setting
    const ofCall = this.call.remainingMs()
    return timeoutMs === undefined ? ofCall : Math.min(ofCall, this.endsAt - clock.now())
  }

  whenEnded(listener: EndListener): void {
    this.#listener = listener
  }

  progress(): Progress {
    const { transport } = this.lane
    // Who does not tell has a request under way.
    return { ...(this.#listener?.progress() ?? { sent: 'maybe', attempts: 1 }), transport }
  }

  succeed(response: object): void {
    if (!this.#leave('success')) return
    this.lane.proven = true
    this.settle.succeed(response)
  }

  fail(error: unknown): void {
    if (this.#over) return
    const found = this.#told(error)
    this.#leave(found !== undefined && bad.has(found.code) && found.reason !== 'client_closed' ? 'failure' : 'none')
    if (found) this.#owner.attemptFailed(found, this)
    else this.settle.fail(error)
  }

  /** The call has ended, or another attempt has been faster. */
  onCallEnded(error: BlobwireError): void {
    if (this.#over) return
    // An answer that did not come in time says something, unless the call never got on its way.
    const isSilence = error.code === 'deadline_exceeded' && this.progress().sent !== 'never'
    this.#leave(isSilence ? 'failure' : 'none')
    this.#stop(error)
  }

  /** It has had its time. */
  onTime(): void {
    const message = `no answer within the ${this.#setting.timeoutMs} ms of an attempt`
    const retryable = true
    const init = { code: 'deadline_exceeded', reason: 'attempt_timeout', message, retryable } as const
    const error = new BlobwireError({ ...init, ...this.progress() })
    if (!this.#leave('failure')) return
    this.#setting.counters.timeouts++
    this.#stop(error)
    this.#owner.attemptFailed(error, this)
  }

  /** Tells the layers below. */
  #stop(error: BlobwireError): void {
    this.#error = error
    this.#listener?.onCallEnded(error)
    this.#controller?.abort(error)
  }

  /** Errors of operations in a frame come without: what travels there is the same for all transports. */
  #told(error: unknown): BlobwireError | undefined {
    if (!(error instanceof BlobwireError)) return undefined
    const { transport } = this.lane
    return error.transport === undefined && error.sent !== 'never' ? error.with({ transport }) : error
  }

  /** False = it is over already. */
  #leave(outcome: Outcome): boolean {
    if (this.#over) return false
    this.#over = true
    const { timeoutMs, timers } = this.#setting
    if (timeoutMs !== undefined) timers.remove(this, timeoutMs)
    const { lane } = this
    lane.inFlight--
    if (lane.breaker === undefined) return true
    const { closings } = lane.breaker
    lane.breaker.leave(this.#pass, outcome, this.#beganAtMs)
    if (lane.breaker.closings > closings) lane.returnedAtMs = this.#setting.clock.now()
    return true
  }
}
