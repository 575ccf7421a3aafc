/**
 * Active health checks: every endpoint is asked for its capabilities, which needs no token, at a steady interval. A check
 * is an attempt like any other to the circuit breaker, and where the breaker is open it is the probe: an endpoint that is
 * back has its calls again before one of them is spent on finding out, and one that fails has lost them before.
 */
import type { Call, Cancellable, Progress } from '../call/call.ts'
import type { Clock } from '../core/clock.ts'
import { asBlobwireError, BlobwireError } from '../core/error.ts'
import type { Method } from '../schema/descriptor.ts'
import { methods } from '../schema/methods.ts'
import { outcomeOf } from './outcome.ts'
import type { Channel } from './picker.ts'

/** A channel that can send a request past the batches. */
export interface CheckedChannel extends Channel {
  request(call: Call): Promise<object>
}

/** The last check of an endpoint. */
export interface HealthCheckResult {
  /** When the check ended, in milliseconds since 1970-01-01T00:00:00Z. */
  atMs: number
  /** Until the answer or the failure, in milliseconds. */
  durationMs: number
  /** Why the check failed; undefined = the endpoint answered. */
  error: BlobwireError | undefined
}

/** The options, with every default in place. */
export interface HealthCheckTimes {
  readonly intervalMs: number
  readonly timeoutMs: number
}

export interface HealthChecksContext extends HealthCheckTimes {
  readonly clock: Clock
  /** The channels over the transport in use. */
  readonly channels: () => readonly CheckedChannel[]
  /** From 0 up to 1. */
  readonly random: () => number
}

/** Intervals vary by this share, so that many clients do not ask together. */
const jitter = 0.2

/** Checks the endpoints of one client until it is closed. */
export class HealthChecks {
  readonly #context: HealthChecksContext
  readonly #results = new WeakMap<Channel, HealthCheckResult>()
  /** Those without an answer yet: a slow one must not overtake a later one. */
  readonly #checking = new Set<CheckedChannel>()
  #cancelTimer: () => void

  /** The first check begins at once. */
  constructor(context: HealthChecksContext) {
    this.#context = context
    this.#cancelTimer = context.clock.schedule(0, () => this.#round())
  }

  /** The last check of this channel's endpoint; undefined = there was none yet. */
  resultOf(channel: Channel): HealthCheckResult | undefined {
    return this.#results.get(channel)
  }

  close(): void {
    this.#cancelTimer()
  }

  #round(): void {
    const { clock, channels, intervalMs, random } = this.#context
    for (const channel of channels()) {
      if (this.#checking.has(channel)) continue
      this.#checking.add(channel)
      this.#check(channel).finally(() => this.#checking.delete(channel))
    }
    this.#cancelTimer = clock.schedule(intervalMs * (1 + jitter * (random() - 0.5)), () => this.#round())
  }

  async #check(channel: CheckedChannel): Promise<void> {
    const { clock, timeoutMs } = this.#context
    const { breaker } = channel
    breaker?.reached()
    const permit = breaker === undefined ? 0 : breaker.tryAcquire()
    // A call is the probe at the moment.
    if (permit === undefined) return
    const beganAtMs = clock.now()
    channel.inFlight++
    const error = await ask(channel, { clock, timeoutMs })
    channel.attemptEnded(permit, error === undefined ? 'success' : outcomeOf(error, true), beganAtMs)
    if (error !== undefined) channel.lastFailure = error
    this.#results.set(channel, {
      atMs: clock.wallTimeMs(),
      durationMs: clock.now() - beganAtMs,
      error
    })
  }
}

/** Asks one endpoint. Returns the error, if there is one. */
async function ask(
  channel: CheckedChannel,
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number }
): Promise<BlobwireError | undefined> {
  const check = new Check(clock.now() + timeoutMs, clock)
  const timeout = Promise.withResolvers<object>()
  const cancelTimer = clock.schedule(timeoutMs, () => {
    const message = `no answer to the health check within ${timeoutMs} ms`
    const error = new BlobwireError({ code: 'deadline_exceeded', message, ...check.progress() })
    timeout.reject(error)
    check.cancel(error)
  })
  try {
    await Promise.race([channel.request(check), timeout.promise])
    return undefined
  } catch (error) {
    return asBlobwireError(error)
  } finally {
    cancelTimer()
  }
}

/** The call of a check. */
class Check implements Call, Cancellable {
  readonly method = methods.getCapabilities as Method
  readonly request = {}
  readonly headers = {}
  readonly maxSends = 1
  readonly #controller = new AbortController()
  readonly #endsAtMs: number
  readonly #clock: Clock
  #part: Cancellable | undefined

  constructor(endsAtMs: number, clock: Clock) {
    this.#endsAtMs = endsAtMs
    this.#clock = clock
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  remainingMs(): number {
    return this.#endsAtMs - this.#clock.now()
  }

  onCancel(part: Cancellable): void {
    this.#part = part
  }

  progress(): Progress {
    return this.#part?.progress() ?? { sent: 'maybe', attempts: 1 }
  }

  cancel(error: BlobwireError): void {
    this.#part?.cancel(error)
    this.#controller.abort(error)
  }
}
