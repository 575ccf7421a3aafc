/**
 * A call from its beginning to its one end: the answer, the deadline, the caller's signal or the closing of the client,
 * whichever comes first. The call settles at that moment, whatever the layers below still do; they are told.
 */
import { allHeaders, type OwnHeaders } from '../batch/own-headers.ts'
import { type Abortable, listen, stopListening } from '../core/abort-listeners.ts'
import type { Clock } from '../core/clock.ts'
import { abortError, asBlobwireError, BlobwireError, type TransportName } from '../core/error.ts'
import type { Method } from '../schema/descriptor.ts'
import { serviceName } from '../schema/methods.ts'
import { factsOfError } from '../telemetry/client-event.ts'
import type { ObservedCall } from '../telemetry/observed-call.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Bulkhead, Waiter } from './bulkhead.ts'
import type { Call, Cancellable, Progress, Sink } from './call.ts'
import type { CallPolicy } from './call-policy.ts'
import { rejection } from './caller.ts'
import { inCallersWords } from './caller-fields.ts'
import type { DeadlineTimers, Timed } from './deadline-timers.ts'
import { methodName } from './interceptor.ts'

/** A call that has not begun. */
export interface UnstartedCall {
  readonly method: Method
  readonly request: object
  /** The client's headers. */
  readonly headers: Readonly<Record<string, string>>
  /** See `Call`. */
  readonly ownHeaders?: OwnHeaders | undefined
  /** For the whole call, in milliseconds. */
  readonly timeoutMs: number
  /** The caller gave `timeoutMs`; otherwise it is the client's, which is made for messages. */
  readonly hasOwnTimeout?: boolean
  /** See `Call`; undefined = false. */
  readonly isBackground?: boolean
  /** See `Call`. */
  readonly policy?: CallPolicy | undefined
  /** The caller's signal. */
  readonly signal: AbortSignal | undefined
  /** See `KeyedCall`. */
  readonly requestKey?: string | undefined
  /** The transport that the caller asks for. */
  readonly transport?: TransportName | undefined
  /** The bearer token of this call; undefined = the client's. */
  readonly token?: string | undefined
  /** Checks the answer before the caller gets it. @throws BlobwireError, with which the call then fails */
  readonly verify?: ((request: object, response: object) => void) | undefined
}

/** Shared by all calls of a client. */
export interface RunningCallContext {
  readonly clock: Clock
  readonly timers: DeadlineTimers
  readonly bulkhead: Bulkhead
  readonly telemetry: Telemetry
  /** The layers below. */
  readonly start: (call: Call, sink: Sink) => void
  /** Sees the error of each call that fails. */
  readonly failed: (error: unknown, method: Method) => BlobwireError
  /** The endpoints of the client, for errors of calls that reached none. */
  readonly endpoint?: string | undefined
  /** Application code may have thrown the errors of the layers below. */
  readonly hasInterceptors?: boolean
  /** Another way to the answer of a call that failed; undefined = there is none. */
  readonly recover?:
    | ((error: unknown, call: UnstartedCall, remainingMs: number) => Promise<object> | undefined)
    | undefined
  /** Sees the duration of each call that succeeds, in milliseconds. */
  readonly succeeded: (durationMs: number, method: Method) => void
}

/** Progress of a call that waits at the bulkhead. */
const notBegun: Progress = { sent: 'never', attempts: 0 }

/** The error of a call whose signal has aborted; see `abortError`. */
function aborted({ reason }: AbortSignal, facts: object): BlobwireError {
  return abortError(reason).with(facts)
}

function clientClosed(facts: object): BlobwireError {
  return new BlobwireError({ reason: 'client_closed', message: 'the client is closed', ...facts })
}

/** Runs one call. @throws BlobwireError `deadline_exceeded`, `cancelled`, or the error of the layers below */
export function runCall(unstarted: UnstartedCall, context: RunningCallContext): Promise<object> {
  const { bulkhead, timers, telemetry } = context
  const observed = telemetry.isListening ? observe(unstarted, telemetry) : undefined
  if (bulkhead.isClosed) return rejected(clientClosed({}), { ...unstarted, observed }, context)
  if (unstarted.signal?.aborted) return rejected(aborted(unstarted.signal, {}), { ...unstarted, observed }, context)
  const call = new RunningCall(unstarted, context, observed)
  timers.add(call, unstarted.timeoutMs)
  try {
    bulkhead.admit(call)
    if (observed !== undefined && !call.isAdmitted) observed.queued()
  } catch (error) {
    call.fail(error)
  }
  return call.outcome.promise
}

function observe({ method, request, timeoutMs }: UnstartedCall, telemetry: Telemetry): ObservedCall | undefined {
  const { repository, operations } = request as { repository?: string; operations?: readonly unknown[] }
  return telemetry.callStarted({
    method: methodName(method),
    rpc: `${serviceName}/${method.name}`,
    repository: repository === '' ? undefined : repository,
    operations: operations?.length ?? 1,
    timeoutMs
  })
}

/** Counts a failure, and rejects with the error for the caller. */
function rejected(
  error: unknown,
  { method, request, observed }: Pick<UnstartedCall, 'method' | 'request'> & Pick<Call, 'observed'>,
  { failed, endpoint, hasInterceptors }: RunningCallContext
): Promise<never> {
  const found = inCallersWords(failed(error, method), request)
  observed?.ended({ ...found, endpoint: found.endpoint ?? endpoint }, found)
  return rejection(found, { method: methodName(method), endpoint: found.endpoint ?? endpoint }, hasInterceptors)
}

/** Cancels all calls under way and refuses later ones, with `cancelled`, reason `client_closed`. */
export function closeCalls({ bulkhead, timers }: RunningCallContext): void {
  bulkhead.close()
  for (const call of timers.all() as RunningCall[]) call.cancel(clientClosed(call.progress()))
  timers.close()
}

class RunningCall implements Abortable, Call, Cancellable, Sink, Timed, Waiter {
  readonly #unstarted: UnstartedCall
  readonly #context: RunningCallContext
  readonly outcome = Promise.withResolvers<object>()
  readonly observed: ObservedCall | undefined
  readonly endsAt: number
  #settled = false
  /** Made only when a layer asks for the signal; most calls on a session never need one. */
  #controller: AbortController | undefined
  #part: Cancellable | undefined
  #headers: Readonly<Record<string, string>> | undefined
  #error: BlobwireError | undefined
  isAdmitted = false
  previous: Timed | undefined
  next: Timed | undefined

  constructor(unstarted: UnstartedCall, context: RunningCallContext, observed: ObservedCall | undefined) {
    this.#unstarted = unstarted
    this.#context = context
    this.observed = observed
    this.endsAt = context.clock.now() + unstarted.timeoutMs
    if (unstarted.signal !== undefined) listen(unstarted.signal, this)
  }

  get method(): Method {
    return this.#unstarted.method
  }

  get request(): object {
    return this.#unstarted.request
  }

  /** Made when a layer asks: in a frame, a call has its own headers alone. */
  get headers(): Readonly<Record<string, string>> {
    const { headers, ownHeaders } = this.#unstarted
    if (ownHeaders === undefined) return headers
    this.#headers ??= allHeaders(headers, ownHeaders)
    return this.#headers
  }

  get ownHeaders(): OwnHeaders | undefined {
    return this.#unstarted.ownHeaders
  }

  get isBackground(): boolean {
    return this.#unstarted.isBackground === true
  }

  get policy(): CallPolicy | undefined {
    return this.#unstarted.policy
  }

  get requestKey(): string | undefined {
    return this.#unstarted.requestKey
  }

  get transport(): TransportName | undefined {
    return this.#unstarted.transport
  }

  get token(): string | undefined {
    return this.#unstarted.token
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#error) this.#controller.abort(this.#error)
    }
    return this.#controller.signal
  }

  remainingMs(): number {
    return this.endsAt - this.#context.clock.now()
  }

  onCancel(part: Cancellable): void {
    this.#part = part
  }

  progress(): Progress {
    return this.#part?.progress() ?? notBegun
  }

  /** The bulkhead lets the call begin. */
  begin(): void {
    if (this.remainingMs() <= 0) return this.onTime()
    this.observed?.admitted()
    try {
      this.#context.start(this, this)
    } catch (error) {
      this.fail(error)
    }
  }

  succeed(response: object): void {
    if (!this.#settle()) return
    const { clock, succeeded, telemetry } = this.#context
    const { verify, request, timeoutMs, method } = this.#unstarted
    try {
      verify?.(request, response)
      const durationMs = clock.now() - this.endsAt + timeoutMs
      succeeded(durationMs, method)
      if (durationMs >= telemetry.slowCallMs) this.#tellSlow(durationMs)
      this.observed?.ended(this.progress())
      this.outcome.resolve(response)
    } catch (error) {
      const { transport } = this.progress()
      this.#reject(asBlobwireError(error).with({ transport, sent: 'processed' }))
    }
  }

  #tellSlow(durationMs: number, error?: unknown): void {
    const { method, request } = this.#unstarted
    const { repository } = request as { repository?: string }
    const facts = error instanceof BlobwireError ? factsOfError(error) : {}
    const { attempts, transport, endpoint } = this.progress()
    const call = { method: method.name, repository, durationMs, attempts, transport, endpoint }
    this.#context.telemetry.report('slow_call', { ...facts, ...call })
  }

  fail(error: unknown): void {
    if (!this.#settle()) return
    const durationMs = this.#unstarted.timeoutMs - this.remainingMs()
    if (durationMs >= this.#context.telemetry.slowCallMs) this.#tellSlow(durationMs, error)
    const recovered = this.#context.recover?.(error, this.#unstarted, this.remainingMs())
    if (recovered === undefined) return this.#reject(error)
    this.outcome.resolve(recovered)
    this.observed?.endedBy(recovered, this.progress())
  }

  #reject(error: unknown): void {
    const { endpoint = this.#context.endpoint } = this.progress()
    const call = { ...this.#unstarted, observed: this.observed }
    this.outcome.resolve(rejected(error, call, { ...this.#context, endpoint }))
  }

  cancel(error: BlobwireError): void {
    if (this.#settled) return
    this.#error = error
    this.fail(error)
    this.#controller?.abort(error)
    this.#part?.cancel(error)
  }

  /** The deadline has passed. */
  onTime(): void {
    const message = `no answer within ${this.#unstarted.timeoutMs} ms`
    this.cancel(new BlobwireError({ code: 'deadline_exceeded', message, ...this.progress() }))
  }

  /** The caller's signal has aborted. */
  handleEvent(): void {
    this.cancel(aborted(this.#unstarted.signal as AbortSignal, this.progress()))
  }

  /** False = the call has settled before. */
  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    const { signal, timeoutMs } = this.#unstarted
    if (signal !== undefined) stopListening(signal, this)
    this.#context.timers.remove(this, timeoutMs)
    this.#context.bulkhead.release(this)
    return true
  }
}
