import type { Clock } from '../core/clock.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import type { Method } from '../schema/shape.ts'
import type { Call, EndListener, Progress, Settle } from '../transport/transport.ts'
import type { ConcurrencyLimit, Guest } from './concurrency.ts'
import { SharedTimers, type Timed } from './shared-timers.ts'

/** A call before it has a deadline. */
export interface Draft {
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
class RunningCall implements Call, Settle, Timed, Guest {
  readonly #draft: Draft
  readonly #deadline: Deadline
  readonly #outcome = Promise.withResolvers<object>()
  #settled = false
  #controller: AbortController | undefined
  #listener: EndListener | undefined
  #error: BlobwireError | undefined
  readonly endsAt: number
  begun = false
  previous: Timed | undefined
  next: Timed | undefined

  constructor(draft: Draft, deadline: Deadline) {
    this.#draft = draft
    this.#deadline = deadline
    this.endsAt = deadline.clock.now() + draft.timeoutMs
    draft.signal?.addEventListener('abort', this)
  }

  get outcome(): Promise<object> {
    return this.#outcome.promise
  }

  get method(): Method {
    return this.#draft.method
  }

  get request(): object {
    return this.#draft.request
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#draft.headers
  }

  get transport(): TransportName | undefined {
    return this.#draft.transport
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

  whenEnded(listener: EndListener): void {
    this.#listener = listener
  }

  /** The answer has come. */
  succeed(response: object): void {
    if (!this.#leave()) return
    try {
      this.#draft.verify?.(this.#draft.request, response)
      this.#deadline.succeeded(this.#deadline.clock.now() - this.endsAt + this.#draft.timeoutMs)
      this.#outcome.resolve(response)
    } catch (error) {
      const { transport } = this.progress
      this.#outcome.reject(this.#deadline.failed(error instanceof BlobwireError ? error.with({ transport }) : error))
    }
  }

  /** The layers below have failed. */
  fail(error: unknown): void {
    if (this.#leave()) this.#outcome.reject(this.#deadline.failed(error))
  }

  /** It ends before its answer. */
  end(error: BlobwireError): void {
    if (this.#settled) return
    this.#error = error
    this.fail(error)
    this.#controller?.abort(error)
    this.#listener?.onCallEnded(error)
  }

  onTime(): void {
    const message = `no answer within ${this.#draft.timeoutMs} ms`
    this.end(new BlobwireError({ code: 'deadline_exceeded', message, ...this.progress }))
  }

  /** The caller's signal. */
  handleEvent(): void {
    this.end(cancelled(this.#draft.signal as AbortSignal, this.progress))
  }

  /** False = it is over already. */
  #leave(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#draft.signal?.removeEventListener('abort', this)
    this.#deadline.leave(this, this.#draft.timeoutMs)
    return true
  }
}

/** What a deadline layer stands on. */
export interface DeadlineParts {
  readonly clock: Clock
  /** How many calls are under way at a time. */
  readonly limit: ConcurrencyLimit
  /** The layers below. */
  readonly start: (call: Call, settle: Settle) => void
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
  readonly start: DeadlineParts['start']
  /** @internal */
  readonly failed: DeadlineParts['failed']
  /** @internal */
  readonly succeeded: DeadlineParts['succeeded']
  readonly #limit: ConcurrencyLimit
  readonly #timers: SharedTimers
  #closed = false

  constructor({ clock, limit, start, failed, succeeded }: DeadlineParts) {
    this.clock = clock
    this.start = start
    this.failed = failed
    this.succeeded = succeeded
    this.#limit = limit
    this.#timers = new SharedTimers(clock)
  }

  /** Runs one call. @throws BlobwireError `deadline_exceeded`, `cancelled`, or what the layers below throw */
  run(draft: Draft): Promise<object> {
    if (this.#closed) return Promise.reject(this.failed(clientClosed({})))
    if (draft.signal?.aborted) return Promise.reject(this.failed(cancelled(draft.signal, {})))
    const call = new RunningCall(draft, this)
    this.#timers.add(call, draft.timeoutMs)
    try {
      this.#limit.enter(call)
    } catch (error) {
      call.fail(error)
    }
    return call.outcome
  }

  /** @internal The call is over. */
  leave(call: RunningCall, timeoutMs: number): void {
    this.#timers.remove(call, timeoutMs)
    this.#limit.leave(call)
  }

  /** Ends all calls under way and refuses later ones, with `cancelled`, reason `client_closed`. */
  close(): void {
    this.#closed = true
    this.#limit.close()
    for (const call of this.#timers.all() as RunningCall[]) call.end(clientClosed(call.progress))
    this.#timers.close()
  }
}
