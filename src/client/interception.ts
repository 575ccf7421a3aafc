/** Runs calls through the interceptors of calls. */
import type { CallOptions } from '../call/call-options.ts'
import { rejection } from '../call/caller.ts'
import { DeadlineTimers, type Timed } from '../call/deadline-timers.ts'
import { type Changeable, checked, type Passage, passThrough, type RequestInterceptor } from '../call/interceptor.ts'
import { listen, stopListening } from '../core/abort-listeners.ts'
import type { Clock } from '../core/clock.ts'
import {
  abortError,
  asBlobwireError,
  BlobwireError,
  interceptorError,
  type Sent,
  type TransportName
} from '../core/error.ts'
import type { Work } from '../platform/platform.ts'
import { afterInput } from '../platform/schedule.ts'
import type { CallInterceptor, Interceptor, Method } from './interceptor.ts'

/** Separates the interceptors of calls from those of requests. */
export function byLevel(interceptors: readonly Interceptor[]) {
  const calls: CallInterceptor[] = []
  const requests: RequestInterceptor[] = []
  for (const [index, item] of interceptors.entries()) {
    if (typeof item === 'function') calls.push(checked(item, index))
    else requests.push(checked(item.request, index))
  }
  return { calls, requests }
}

/** The properties of a call that an interceptor may change. */
interface ChangeableCall extends Changeable {
  readonly repository: string | undefined
}

/** A call for the interceptors, its options checked. */
export interface CallToIntercept<Message extends object = object, Result = unknown> extends ChangeableCall {
  readonly method: Method
  readonly message: Message
  readonly timeoutMs: number
  /** The call may become a transfer, which has no time limit but the caller's: once it is sent on, it ends below. */
  readonly mayTakeLong?: boolean
  readonly options: CallOptions | undefined
  /** Carries out the call. */
  run(message: Message, options: CallOptions | undefined, repository: string | undefined): Promise<Result>
}

/** The dependencies of an interception. */
interface InterceptionContext {
  readonly clock: Clock
  /** Told while calls are under way. */
  readonly work: Work
  /** Names the client's endpoints in errors. */
  readonly endpoint?: string | undefined
}

/** Sends calls through the interceptors of a client. */
export class Interception {
  readonly clock: Clock
  readonly timers: DeadlineTimers
  readonly interceptors: readonly CallInterceptor[]
  readonly work: Work
  readonly endpoint: string | undefined
  #closed = false

  constructor(interceptors: readonly CallInterceptor[], { clock, work, endpoint }: InterceptionContext) {
    this.work = work
    this.interceptors = interceptors
    this.endpoint = endpoint
    this.clock = clock
    this.timers = new DeadlineTimers(clock)
  }

  /** The result of the call, or of an interceptor that answers itself. @throws BlobwireError */
  run<Message extends object, Result>(call: CallToIntercept<Message, Result>): Promise<Result> {
    // The call itself reports that it cannot be sent.
    if (this.#closed || call.options?.signal?.aborted) return call.run(call.message, call.options, call.repository)
    return new InterceptedCall(call as CallToIntercept, this).start() as Promise<Result>
  }

  /** Ends all calls that wait in an interceptor; the pipeline ends the others. */
  close(): void {
    this.#closed = true
    for (const call of this.timers.all() as InterceptedCall[]) call.end('client_closed')
    this.timers.close()
  }
}

/** The reasons for which a call ends without its result. */
const endings = {
  deadline: { code: 'deadline_exceeded', reason: '', message: 'an interceptor took all the time that the call had' },
  client_closed: { reason: 'client_closed', message: 'the client is closed' }
} as const

const processed = { sent: 'processed', attempts: 1 } as const

/**
 * A call in the interceptors. While an interceptor waits, the deadline, the signal and the closing of the client end the
 * call here. A call that has been sent on ends in the pipeline, which knows how far it got.
 */
class InterceptedCall implements Timed, Passage<ChangeableCall> {
  readonly #call: CallToIntercept
  readonly #interception: Interception
  readonly #outcome = Promise.withResolvers<unknown>()
  #facts: { sent: Sent; attempts: number; transport?: TransportName | undefined } = { sent: 'never', attempts: 0 }
  #sentOn = 0
  #settled = false
  #error: BlobwireError | undefined
  #controller: AbortController | undefined
  readonly endsAt: number
  previous: Timed | undefined
  next: Timed | undefined

  constructor(call: CallToIntercept, interception: Interception) {
    this.#call = call
    this.#interception = interception
    this.endsAt = interception.clock.now() + call.timeoutMs
  }

  start(): Promise<unknown> {
    const { timeoutMs, options } = this.#call
    this.#interception.timers.add(this, timeoutMs)
    this.#interception.work.beginWork()
    if (options?.signal !== undefined) listen(options.signal, this)
    try {
      passThrough<ChangeableCall>(this.#interception.interceptors, this.#call, this).then(
        (result) => {
          if (this.#settle()) this.#outcome.resolve(result)
        },
        (error) => this.#fail(error)
      )
    } catch (error) {
      this.#fail(error)
    }
    return this.#outcome.promise
  }

  show({ repository, message, headers }: ChangeableCall): object {
    const { method } = this.#call
    return { method, repository, message, headers, signal: this.signal, remainingMs: () => this.remainingMs() }
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#error) this.#controller.abort(this.#error)
    }
    return this.#controller.signal
  }

  remainingMs(): number {
    return this.endsAt - this.#interception.clock.now()
  }

  async innermost({ repository, message, headers }: ChangeableCall): Promise<unknown> {
    if (this.#error) throw this.#error
    this.#sentOn++
    try {
      const result = await this.#call.run(message, this.#optionsWith(headers), repository)
      this.#facts = processed
      return result
    } catch (error) {
      this.#facts = asBlobwireError(error)
      throw this.#facts
    } finally {
      if (--this.#sentOn === 0 && this.#error) this.#finish()
    }
  }

  /** The options unchanged where possible, because calls with headers of their own do not travel in frames. */
  #optionsWith(headers: ChangeableCall['headers']): CallOptions | undefined {
    const { options, timeoutMs, headers: given, mayTakeLong } = this.#call
    if (mayTakeLong) return headers === given ? options : { ...options, headers }
    const remainingMs = Math.max(1, Math.ceil(this.remainingMs()))
    if (headers !== given && remainingMs === Number.POSITIVE_INFINITY) return { ...options, headers }
    if (headers !== given) return { ...options, headers, timeoutMs: remainingMs }
    return remainingMs === timeoutMs ? options : { ...options, timeoutMs: remainingMs }
  }

  onTime(): void {
    if (!this.#call.mayTakeLong || this.#sentOn === 0) this.end('deadline')
  }

  /** Called by the signal of the call. */
  handleEvent(): void {
    this.end('aborted')
  }

  end(ending: keyof typeof endings | 'aborted'): void {
    if (this.#settled || this.#error) return
    const { sent, attempts, transport } = this.#facts
    const error =
      ending === 'aborted' ? abortError(this.#call.options?.signal?.reason) : new BlobwireError(endings[ending])
    this.#error = error.with({ sent, attempts, transport })
    this.#release()
    this.#controller?.abort(this.#error)
    if (this.#sentOn === 0) this.#finish()
  }

  /** Fails the call one turn of the event loop later, unless the interceptors pass an error on before. */
  #finish(): void {
    afterInput(() => this.#fail(this.#error?.with({ sent: this.#facts.sent, attempts: this.#facts.attempts })))
  }

  #fail(error: unknown): void {
    if (this.#settle()) this.#outcome.resolve(this.#rejection(interceptorError(error)))
  }

  #rejection(error: BlobwireError): Promise<never> {
    const { endpoint } = this.#interception
    return rejection(error, { method: this.#call.method, endpoint: error.endpoint ?? endpoint }, true)
  }

  /** False = the call was settled before. */
  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#interception.work.endWork()
    this.#release()
    return true
  }

  #release(): void {
    this.#interception.timers.remove(this, this.#call.timeoutMs)
    const signal = this.#call.options?.signal
    if (signal !== undefined) stopListening(signal, this)
  }
}
