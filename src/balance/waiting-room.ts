/** Calls that met open breakers everywhere wait here until one gives a permit. */
import type { Clock } from '../core/clock.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'

/** While calls wait, a new connection is tried this long after the breaker opened or the last try. */
const checkMs = 500
/** The checks vary by this share, as the breaker's own times do. */
const jitter = 0.2
/** The waits that end within this time end together, so that many waiters do not set the timer as many times. */
const leastDelayMs = 10

/** A call that waits. */
export interface Waiter {
  /** When its wait is over, on the clock's time. */
  readonly waitsUntilMs: number
  /** Begins, with a permit. False = there is none. */
  begin(): boolean
  /** No breaker gave a permit in time. */
  giveUp(): void
}

/** An endpoint, as the room sees it. */
export interface Awaited {
  readonly breaker: CircuitBreaker | undefined
  /** Whether a new connection to the endpoint can be had. */
  canConnect(): Promise<boolean>
}

/**
 * First come, first served, with one timer for all; the bulkhead bounds the number of waiters. No call is spent on finding
 * out whether an endpoint is back: a new connection is, and only where it is answered, one of the calls is the probe.
 */
export class WaitingRoom {
  readonly #clock: Clock
  readonly #random: () => number
  #breakers: readonly (readonly [CircuitBreaker, Awaited])[] = []
  readonly #checkedAtMs = new WeakMap<CircuitBreaker, number>()
  readonly #waiting = new Set<Waiter>()
  #cancelTimer: (() => void) | undefined
  #dueAtMs = Number.POSITIVE_INFINITY
  #isAdmitting = false

  constructor(endpoints: readonly Awaited[], clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
    this.setEndpoints(endpoints)
  }

  /** Changes the endpoints whose breakers are waited for. */
  setEndpoints(endpoints: readonly Awaited[]): void {
    this.#breakers = endpoints.flatMap((endpoint) => (endpoint.breaker ? [[endpoint.breaker, endpoint] as const] : []))
    for (const [breaker] of this.#breakers) breaker.onChange = () => this.#changed()
    this.#changed()
  }

  /** Calls that wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  enter(waiter: Waiter): void {
    this.#waiting.add(waiter)
    if (waiter.waitsUntilMs < this.#dueAtMs || this.#waiting.size === 1) this.#setTimer()
  }

  /** The call has ended. */
  leave(waiter: Waiter): void {
    if (this.#waiting.delete(waiter) && this.#waiting.size === 0) this.#setTimer()
  }

  /** A breaker has opened, has closed or gives a permit. */
  #changed(): void {
    if (this.#waiting.size === 0 || this.#isAdmitting) return
    this.#admit()
    this.#setTimer()
  }

  /** Lets calls begin for as long as there are permits. */
  #admit(): void {
    this.#isAdmitting = true
    for (const waiter of this.#waiting) {
      if (!waiter.begin()) break
      this.#waiting.delete(waiter)
    }
    this.#isAdmitting = false
  }

  #onTime(): void {
    const now = this.#clock.now()
    for (const waiter of this.#waiting) {
      if (waiter.waitsUntilMs > now) continue
      this.#waiting.delete(waiter)
      waiter.giveUp()
    }
    for (const [breaker, endpoint] of this.#breakers) {
      if (breaker.state === 'open' && this.#nextAtMs(breaker) <= now) this.#check(breaker, endpoint, now)
    }
    this.#setTimer()
  }

  #check(breaker: CircuitBreaker, endpoint: Awaited, now: number): void {
    if (this.#waiting.size === 0) return
    this.#checkedAtMs.set(breaker, now + checkMs * jitter * (0.5 - this.#random()))
    endpoint.canConnect().then((isThere) => {
      if (isThere) breaker.reached()
    })
  }

  /** When a connection is tried next. */
  #nextAtMs(breaker: CircuitBreaker): number {
    return Math.max(breaker.openedAtMs, this.#checkedAtMs.get(breaker) ?? 0) + checkMs
  }

  #setTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#dueAtMs = Number.POSITIVE_INFINITY
    if (this.#waiting.size === 0) return
    for (const { waitsUntilMs } of this.#waiting) this.#dueAtMs = Math.min(this.#dueAtMs, waitsUntilMs)
    for (const [breaker] of this.#breakers) {
      if (breaker.state === 'open') this.#dueAtMs = Math.min(this.#dueAtMs, this.#nextAtMs(breaker))
    }
    const now = this.#clock.now()
    this.#dueAtMs = Math.max(this.#dueAtMs, now + leastDelayMs)
    // Calls wait for nothing else that would keep the process running.
    this.#cancelTimer = this.#clock.schedule(this.#dueAtMs - now, () => this.#onTime())
  }
}
