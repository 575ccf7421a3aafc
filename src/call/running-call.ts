import type { Clock } from '../core/clock.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import type { Method } from '../schema/descriptor.ts'
import type { Call, Cancellable, Progress, Sink } from '../transport/transport.ts'
import type { Bulkhead, Waiter } from './bulkhead.ts'
import { DeadlineTimers, type Timed } from './deadline-timers.ts'

/** A call before it has a deadline. */
export interface UnstartedCall {
  readonly method: Method
  readonly request: object
  readonly headers: Readonly<Record<string, string>>
  /** For the whole call, in milliseconds. */
  readonly timeoutMs: number
  /** The caller's signal. */
  readonly signal: AbortSignal | undefined
  /** The transport it asks for. */
  readonly transport?: TransportName | undefined
  /** Looks at the answer before the caller gets it. @throws what the call then fails with */
  readonly verify?: ((request: object, response: object) => void) | undefined
}

/** Of a call that is still in the queue. */
const notBegun: Progress = { sent: 'never', attempts: 0 }

function cancelled(signal: AbortSignal, facts: object): BlobwireError {
  return new BlobwireError({ code: 'cancelled', message: 'the call was aborted', cause: signal.reason, ...facts })
}

function clientClosed(facts: object): BlobwireError {
  const message = 'the client is closed'
  return new BlobwireError({ code: 'cancelled', reason: 'client_closed', message, ...facts })
}

/**
 * A call under way: what the layers below see of it, and its one settlement. Its `AbortSignal` is made when somebody
 * asks for it; most calls on a session never do.
 */
class RunningCall implements Call, Sink, Timed, Waiter {
  readonly #unstarted: UnstartedCall
  readonly #deadline: Deadline
  readonly #outcome = Promise.withResolvers<object>()
  #settled = false
  #controller: AbortController | undefined
  #listener: Cancellable | undefined
  #error: BlobwireError | undefined
  readonly endsAt: number
  begun = false
  previous: Timed | undefined
  next: Timed | undefined

  constructor(unstarted: UnstartedCall, deadline: Deadline) {
    this.#unstarted = unstarted
    this.#deadline = deadline
    this.endsAt = deadline.clock.now() + unstarted.timeoutMs
    unstarted.signal?.addEventListener('abort', this)
  }

  get outcome(): Promise<object> {
    return this.#outcome.promise
  }

  get method(): Method {
    return this.#unstarted.method
  }

  get request(): object {
    return this.#unstarted.request
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#unstarted.headers
  }

  get transport(): TransportName | undefined {
    return this.#unstarted.transport
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#error) this.#controller.abort(this.#error)
    }
    return this.#controller.signal
  }

  /** Its turn has come. */
  begin(): void {
    if (this.remainingMs() <= 0) return this.onTime()
    try {
      this.#deadline.start(this, this)
    } catch (error) {
      this.fail(error)
    }
  }

  /** How far it has got. */
  get progress(): Progress {
    return this.#listener?.progress() ?? notBegun
  }

  remainingMs(): number {
    return this.endsAt - this.#deadline.clock.now()
  }

  onCancel(listener: Cancellable): void {
    this.#listener = listener
  }

  /** The answer has come. */
  succeed(response: object): void {
    if (!this.#settle()) return
    try {
      this.#unstarted.verify?.(this.#unstarted.request, response)
      this.#deadline.succeeded(this.#deadline.clock.now() - this.endsAt + this.#unstarted.timeoutMs)
      this.#outcome.resolve(response)
    } catch (error) {
      const { transport } = this.progress
      this.#outcome.reject(this.#deadline.failed(error instanceof BlobwireError ? error.with({ transport }) : error))
    }
  }

  /** The layers below have failed. */
  fail(error: unknown): void {
    if (this.#settle()) this.#outcome.reject(this.#deadline.failed(error))
  }

  /** It ends before its answer. */
  end(error: BlobwireError): void {
    if (this.#settled) return
    this.#error = error
    this.fail(error)
    this.#controller?.abort(error)
    this.#listener?.cancel(error)
  }

  onTime(): void {
    const message = `no answer within ${this.#unstarted.timeoutMs} ms`
    this.end(new BlobwireError({ code: 'deadline_exceeded', message, ...this.progress }))
  }

  /** The caller's signal. */
  handleEvent(): void {
    this.end(cancelled(this.#unstarted.signal as AbortSignal, this.progress))
  }

  /** False = it is over already. */
  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#unstarted.signal?.removeEventListener('abort', this)
    this.#deadline.settled(this, this.#unstarted.timeoutMs)
    return true
  }
}

/** What a deadline layer stands on. */
export interface DeadlineContext {
  readonly clock: Clock
  /** How many calls are under way at a time. */
  readonly limit: Bulkhead
  /** The layers below. */
  readonly start: (call: Call, sink: Sink) => void
  /** Sees the error of each call that fails, and gives the one that its caller gets. */
  readonly failed: (error: unknown) => unknown
  /** Sees each call that succeeds, with how long it took in milliseconds. */
  readonly succeeded: (durationMs: number) => void
}

/**
 * Gives each call one end: its answer, its deadline, its caller's signal or the closing of the client, whichever comes
 * first. It settles at that moment, whatever the layers below still do; they are told.
 */
export class Deadline {
  /** @internal */
  readonly clock: Clock
  /** @internal */
  readonly start: DeadlineContext['start']
  /** @internal */
  readonly failed: DeadlineContext['failed']
  /** @internal */
  readonly succeeded: DeadlineContext['succeeded']
  readonly #limit: Bulkhead
  readonly #timers: DeadlineTimers
  #closed = false

  constructor({ clock, limit, start, failed, succeeded }: DeadlineContext) {
    this.clock = clock
    this.start = start
    this.failed = failed
    this.succeeded = succeeded
    this.#limit = limit
    this.#timers = new DeadlineTimers(clock)
  }

  /** Runs one call. @throws BlobwireError `deadline_exceeded`, `cancelled`, or what the layers below throw */
  run(unstarted: UnstartedCall): Promise<object> {
    if (this.#closed) return Promise.reject(this.failed(clientClosed({})))
    if (unstarted.signal?.aborted) return Promise.reject(this.failed(cancelled(unstarted.signal, {})))
    const call = new RunningCall(unstarted, this)
    this.#timers.add(call, unstarted.timeoutMs)
    try {
      this.#limit.admit(call)
    } catch (error) {
      call.fail(error)
    }
    return call.outcome
  }

  /** @internal The call is over. */
  settled(call: RunningCall, timeoutMs: number): void {
    this.#timers.remove(call, timeoutMs)
    this.#limit.release(call)
  }

  /** Ends all calls under way and refuses later ones, with `cancelled`, reason `client_closed`. */
  close(): void {
    this.#closed = true
    this.#limit.close()
    for (const call of this.#timers.all() as RunningCall[]) call.end(clientClosed(call.progress))
    this.#timers.close()
  }
}
