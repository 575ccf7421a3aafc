import type { Clock } from '../core/clock.ts'
import { BlobwireError } from '../core/error.ts'
import type { Method } from '../schema/shape.ts'
import type { Call, EndListener, Settle } from '../transport/transport.ts'
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
  /** Looks at the answer before the caller gets it. @throws what the call then fails with */
  readonly verify?: ((request: object, response: object) => void) | undefined
}

/** Where a call that ends early had got to. */
const underWay = { sent: 'maybe', attempts: 1 } as const

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
class RunningCall implements Call, Settle, Timed {
  readonly #draft: Draft
  readonly #deadline: Deadline
  readonly #outcome = Promise.withResolvers<object>()
  #settled = false
  #controller: AbortController | undefined
  #listener: EndListener | undefined
  #error: BlobwireError | undefined
  readonly endsAt: number
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

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#error) this.#controller.abort(this.#error)
    }
    return this.#controller.signal
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
      this.#outcome.resolve(response)
    } catch (error) {
      this.#outcome.reject(this.#deadline.failed(error))
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
    this.#listener?.onCallEnded()
  }

  onTime(): void {
    const message = `no answer within ${this.#draft.timeoutMs} ms`
    this.end(new BlobwireError({ code: 'deadline_exceeded', message, ...underWay }))
  }

  /** The caller's signal. */
  handleEvent(): void {
    this.end(cancelled(this.#draft.signal as AbortSignal, underWay))
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

/**
 * Gives each call one end: its answer, its deadline, its caller's signal or the closing of the client, whichever comes
 * first. It settles at that moment, whatever the layers below still do; they are told.
 */
export class Deadline {
  readonly clock: Clock
  /** @internal */
  readonly failed: (error: unknown) => unknown
  readonly #timers: SharedTimers
  #closed = false

  /** `failed` sees the error of each call that fails, and gives the one that its caller gets. */
  constructor(clock: Clock, failed: (error: unknown) => unknown = (error) => error) {
    this.clock = clock
    this.failed = failed
    this.#timers = new SharedTimers(clock)
  }

  /** Runs one call through what `start` hands it to. @throws BlobwireError `deadline_exceeded`, `cancelled`, or what the layers below throw */
  run(draft: Draft, start: (call: Call, settle: Settle) => void): Promise<object> {
    if (this.#closed) return Promise.reject(this.failed(clientClosed({})))
    if (draft.signal?.aborted) return Promise.reject(this.failed(cancelled(draft.signal, {})))
    const call = new RunningCall(draft, this)
    this.#timers.add(call, draft.timeoutMs)
    start(call, call)
    return call.outcome
  }

  /** @internal The call is over. */
  leave(call: Timed, timeoutMs: number): void {
    this.#timers.remove(call, timeoutMs)
  }

  /** Ends all calls under way and refuses later ones, with `cancelled`, reason `client_closed`. */
  close(): void {
    this.#closed = true
    for (const call of this.#timers.all()) (call as RunningCall).end(clientClosed(underWay))
    this.#timers.close()
  }
}
