/** A call, and its attempts, as the layers tell their observers of it. */
import { asBlobwireError, type BlobwireError, type Sent, type TransportName } from '../core/error.ts'
import { headersOf } from '../core/headers.ts'
import type {
  AttemptEventName,
  AttemptObserver,
  CallEventName,
  CallObserver,
  EventFacts,
  StartedAttempt,
  StartedCall
} from './observer.ts'

/** A header that travels with an attempt. */
export interface ObserverHeader {
  readonly name: string
  readonly value: string
}

/** Takes the events of an attempt, or of all attempts that share a frame or a request. */
export interface AttemptEvents {
  /** `atMs`: where the event was before now. One from before the attempt is not told. */
  event(name: AttemptEventName, facts?: EventFacts, atMs?: number): void
}

/** Shared by all observed calls of a client. */
export interface ObservingContext {
  readonly now: () => number
  /** An observer has thrown. */
  readonly observerFailed: (exception: unknown) => void
}

/** Tells an observer. One that fails, at once or with a promise, fails no call. */
export function guarded<Result>(tell: () => Result, failed: (exception: unknown) => void): Result | undefined {
  try {
    const result = tell()
    if (result instanceof Promise) result.catch(failed)
    return result
  } catch (exception) {
    failed(exception)
    return undefined
  }
}

/** Tells all observers, and returns those that they made of it. */
export function tellAll<Kind, Result>(
  observers: readonly Kind[],
  tell: (observer: Kind) => Result | undefined,
  failed: (exception: unknown) => void
): Result[] {
  const results: Result[] = []
  for (const observer of observers) {
    const result = guarded(() => tell(observer), failed)
    if (result !== undefined && result !== null) results.push(result)
  }
  return results
}

const noFacts: EventFacts = {}
const noHeaders: readonly ObserverHeader[] = []

/** How far a call got, for its outcome. */
export interface ObservedProgress {
  readonly sent: Sent
  readonly attempts: number
  readonly transport?: TransportName | undefined
  readonly endpoint?: string | undefined
}

/** Exists only while somebody observes the call. */
export class ObservedCall {
  readonly #context: ObservingContext
  readonly #call: StartedCall
  readonly #observers: readonly CallObserver[]
  #attempts = 0
  #isQueued = false
  /** Of the latest request or session. */
  requestId: string | undefined

  constructor(call: StartedCall, observers: readonly CallObserver[], context: ObservingContext) {
    this.#call = call
    this.#observers = observers
    this.#context = context
  }

  event(name: CallEventName, facts: EventFacts = noFacts): void {
    const atMs = this.#context.now()
    for (const observer of this.#observers) this.#guarded(() => observer.event?.(name, atMs, facts))
  }

  /** The call waits for its turn. */
  queued(): void {
    this.#isQueued = true
    this.event('queued')
  }

  /** Its turn has come. */
  admitted(): void {
    if (this.#isQueued) this.event('admitted')
  }

  attemptStarted({ endpoint, transport }: { endpoint: string; transport: TransportName }): ObservedAttempt {
    const attempt: StartedAttempt = { number: ++this.#attempts, endpoint, transport, startedAtMs: this.#context.now() }
    const context = this.#context
    const observers = tellAll(this.#observers, (observer) => observer.attemptStarted?.(attempt), context.observerFailed)
    return new ObservedAttempt(this, attempt, { now: context.now, observerFailed: context.observerFailed, observers })
  }

  /** The caller gets the answer; with an error, that instead. */
  ended(progress: ObservedProgress, failure?: unknown): void {
    const atMs = this.#context.now()
    const error = failure === undefined ? undefined : asBlobwireError(failure)
    const { attempts, sent, endpoint, transport } = progress
    const outcome = {
      atMs,
      durationMs: atMs - this.#call.startedAtMs,
      error,
      attempts,
      sent: error === undefined ? ('processed' as const) : sent,
      endpoint: error?.endpoint ?? endpoint,
      transport: error?.transport ?? transport,
      requestId: error?.requestId ?? this.requestId
    }
    for (const observer of this.#observers) this.#guarded(() => observer.ended?.(outcome))
  }

  /** The call goes on in another way, and ends with it. */
  endedBy(answer: Promise<unknown>, progress: ObservedProgress): void {
    answer.then(
      () => this.ended(progress),
      (error) => this.ended(progress, error)
    )
  }

  #guarded<Result>(tell: () => Result): Result | undefined {
    return guarded(tell, this.#context.observerFailed)
  }
}

/** One attempt of an observed call. */
export class ObservedAttempt implements AttemptEvents {
  readonly #call: ObservedCall
  readonly #startedAtMs: number
  readonly #observers: readonly AttemptObserver[]
  readonly #context: ObservingContext
  /** Those that the observers add; undefined = none. */
  readonly headers: readonly ObserverHeader[] | undefined
  #isOver = false

  constructor(
    call: ObservedCall,
    { startedAtMs }: StartedAttempt,
    context: ObservingContext & { readonly observers: readonly AttemptObserver[] }
  ) {
    const { observers } = context
    this.#call = call
    this.#startedAtMs = startedAtMs
    this.#observers = observers
    this.#context = context
    let headers: readonly ObserverHeader[] | undefined
    for (const observer of observers) {
      const added = this.#headersOf(observer)
      if (added.length > 0) headers = headers === undefined ? added : [...headers, ...added]
    }
    this.headers = headers
  }

  event(name: AttemptEventName, facts: EventFacts = noFacts, atMs = this.#context.now()): void {
    if (atMs < this.#startedAtMs) return
    if (facts.requestId !== undefined) this.#call.requestId = facts.requestId
    for (const observer of this.#observers) {
      guarded(() => observer.event?.(name, atMs, facts), this.#context.observerFailed)
    }
  }

  ended(error: BlobwireError | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    const atMs = this.#context.now()
    for (const observer of this.#observers) {
      guarded(() => observer.ended?.({ atMs, error }), this.#context.observerFailed)
    }
  }

  /** A header that HTTP does not allow must not fail the call: it stays behind, and its observer is reported. */
  #headersOf(observer: AttemptObserver): readonly ObserverHeader[] {
    try {
      const { headers } = observer
      return headers === undefined ? noHeaders : headersOf(headers)
    } catch (exception) {
      this.#context.observerFailed(exception)
      return noHeaders
    }
  }
}

/** One that tells all attempts that share a frame or a request; undefined = none of them is observed. */
export function together(all: readonly (AttemptEvents | undefined)[]): AttemptEvents | undefined {
  const observed = all.filter((events) => events !== undefined)
  if (observed.length < 2) return observed[0]
  return {
    event(name, facts, atMs) {
      for (const events of observed) events.event(name, facts, atMs)
    }
  }
}
