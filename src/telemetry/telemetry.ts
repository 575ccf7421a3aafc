/** The observers of one client. */
import type { Clock } from '../core/clock.ts'
import { emitWarning } from '../platform/warnings.ts'
import { CallCounts } from './method-counts.ts'
import { ObservedCall } from './observed-call.ts'
import type { Observer, StartedCall } from './observer.ts'

/** Counts calls, and tells observers of them; made once for each client. */
export class Telemetry {
  readonly calls = new CallCounts()
  readonly #clock: Clock
  readonly #observers: Observer[]
  readonly #warn: (problem: string, exception: unknown) => void
  #hasWarned = false

  /** `warn` is told of the first exception of an observer. */
  constructor(
    clock: Clock,
    observers: readonly Observer[] = [],
    warn: (problem: string, exception: unknown) => void = emitWarning
  ) {
    this.#clock = clock
    this.#observers = [...observers]
    this.#warn = warn
  }

  /** Whether anybody observes calls; asked once for each call. */
  get isListening(): boolean {
    return this.#observers.length > 0
  }

  /** A call begins; undefined = nobody wants to know more of it. */
  callStarted(begun: Omit<StartedCall, 'startedAtMs'>): ObservedCall | undefined {
    const call = { ...begun, startedAtMs: this.#clock.now() }
    const now = () => this.#clock.now()
    const observers = this.#observers.flatMap((observer) => {
      try {
        return observer.callStarted?.(call) ?? []
      } catch (exception) {
        this.#observerFailed(exception)
        return []
      }
    })
    if (observers.length === 0) return undefined
    return new ObservedCall(call, observers, { now, observerFailed: (exception) => this.#observerFailed(exception) })
  }

  /** Told once: an observer that throws would do so at every call. */
  #observerFailed(exception: unknown): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#warn('an observer of a client threw; its later exceptions are not told', exception)
  }
}
