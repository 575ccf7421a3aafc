/** Everything that a client tells of itself: counts, observers of calls, and events. */
import type { Clock } from '../core/clock.ts'
import { channels, isCallChannelSubscribed } from '../platform/diagnostics.ts'
import { emitWarning } from '../platform/warnings.ts'
import { type CallListener, timelineObserver } from './call-timeline.ts'
import type { ClientEventFacts, ClientEventName } from './client-event.ts'
import { diagnosticsObserver } from './diagnostics.ts'
import { type Logger, log } from './logger.ts'
import { CallCounts } from './method-counts.ts'
import { guarded, ObservedCall, type ObservingContext, tellAll } from './observed-call.ts'
import type { Observer, StartedCall } from './observer.ts'

/** The options that telemetry is made of; see `ClientOptions`. */
export interface TelemetryOptions {
  readonly observers?: readonly Observer[] | undefined
  readonly onCall?: CallListener | undefined
  readonly logger?: Logger | undefined
  readonly slowCallMs?: number | undefined
  /** Told of the first exception of an observer. */
  readonly warn?: (problem: string, exception: unknown) => void
}

/** Counts calls, and tells observers of them; made once for each client. */
export class Telemetry {
  readonly calls = new CallCounts()
  /** Calls of this duration are slow; infinite = none is. */
  readonly slowCallMs: number
  readonly #clock: Clock
  readonly #logger: Logger | undefined
  readonly #warn: (problem: string, exception: unknown) => void
  readonly #context: ObservingContext
  #observers: readonly Observer[]
  #hasObserverFailed = false
  #hasLoggerFailed = false

  constructor(clock: Clock, options: TelemetryOptions = {}) {
    const { observers = [], onCall, logger, slowCallMs = Number.POSITIVE_INFINITY, warn = emitWarning } = options
    this.#clock = clock
    this.#logger = logger
    this.slowCallMs = slowCallMs
    this.#observers = onCall === undefined ? [...observers] : [...observers, timelineObserver(onCall)]
    this.#warn = warn
    this.#context = { now: () => clock.now(), observerFailed: (exception) => this.#observerFailed(exception) }
  }

  /** Whether anybody observes calls; asked once for each call. */
  get isListening(): boolean {
    return this.#observers.length > 0 || isCallChannelSubscribed()
  }

  /** Adds an observer; returns the function that removes it. */
  observe(observer: Observer): () => void {
    this.#observers = [...this.#observers, observer]
    return () => {
      this.#observers = this.#observers.filter((other) => other !== observer)
    }
  }

  /** A call begins; undefined = nobody wants to know more of it. */
  callStarted(begun: Omit<StartedCall, 'startedAtMs'>): ObservedCall | undefined {
    const call = { ...begun, startedAtMs: this.#clock.now() }
    const all = isCallChannelSubscribed() ? [...this.#observers, diagnosticsObserver] : this.#observers
    const observers = tellAll(all, (observer) => observer.callStarted?.(call), this.#context.observerFailed)
    return observers.length === 0 ? undefined : new ObservedCall(call, observers, this.#context)
  }

  /** Something rare has happened. */
  report(event: ClientEventName, facts: ClientEventFacts): void {
    const logger = this.#logger
    if (logger !== undefined)
      guarded(
        () => log(logger, { event, ...facts }),
        (exception) => this.#loggerFailed(exception)
      )
    if (channels.event.hasSubscribers) channels.event.publish({ event, ...facts })
  }

  #loggerFailed(exception: unknown): void {
    if (!this.#hasLoggerFailed) this.#warn('the logger of a client threw; its later exceptions are not told', exception)
    this.#hasLoggerFailed = true
  }

  /** Told once: an observer that throws would do so at every call. */
  #observerFailed(exception: unknown): void {
    if (this.#hasObserverFailed) return
    this.#hasObserverFailed = true
    if (this.#logger !== undefined) this.report('observer_failed', { problem: String(exception) })
    else this.#warn('an observer of a client threw; its later exceptions are not told', exception)
  }
}
