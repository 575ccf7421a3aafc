/** The deliveries of one destination: its attempts under way, its circuit breaker, and the time of the next attempt. */
import { CircuitBreaker, type Permit } from '../balance/circuit-breaker.ts'
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import { asBlobwireError, type BlobwireError } from '../core/error.ts'
import type { Latency } from '../core/latency.ts'
import { beginWork, endWork } from '../platform/process-hold.ts'
import type { ResolvedDestination } from './destination.ts'
import type { ResolvedSenderOptions } from './options.ts'
import type { Outbox, StoredDelivery, StoredError } from './outbox.ts'
import { type Answer, Receiver } from './receiver.ts'
import { signedHeaders } from './signature.ts'
import { type AttemptEnd, judge, type Verdict } from './verdict.ts'

/** Time of a lease beyond the attempt's own, for a process that is busy, in milliseconds. */
const leaseMarginMs = 5000

/** Time after which an outbox that could not be read or written is tried again, in milliseconds. */
const outboxPauseMs = 1000

/** The dependencies of a channel. */
export interface ChannelContext {
  readonly options: ResolvedSenderOptions
  readonly clock: Clock
  readonly random: () => number
  readonly outbox: Outbox
  readonly counters: Pick<Counters, 'connections' | 'transferConnections'>
  readonly latency: Latency
  /** The outbox could not be read or written. */
  onOutboxFailure(error: unknown): void
  /** A delivery ended; for one that failed, its dead letter is in the outbox. */
  onEnd(delivery: StoredDelivery, verdict: Verdict): void
}

/** Counts since the channel was made. */
export interface ChannelCounters {
  attempts: number
  delivered: number
  failedAttempts: number
  givenUp: number
}

/** One for each destination, so that none waits for another. */
export class DestinationChannel {
  readonly #context: ChannelContext
  readonly #receiver: Receiver
  readonly #breaker: CircuitBreaker | undefined
  readonly #whenIdle: (() => void)[] = []
  readonly counters: ChannelCounters = { attempts: 0, delivered: 0, failedAttempts: 0, givenUp: 0 }
  #destination: ResolvedDestination
  #running = 0
  /** Changes of the URL: what attempts at an earlier one meet, tells nothing of the receiver. */
  #moves = 0
  /** Attempts under way at earlier URLs. */
  #elsewhere = 0
  /** The receiver has answered on these connections. */
  #hasAnswered = false
  /** Until then the receiver wants no webhook, or the outbox is not asked. */
  #pausedUntilMs = 0
  #cancelTimer: (() => void) | undefined
  #isStopped = false

  constructor(destination: ResolvedDestination, context: ChannelContext) {
    this.#destination = destination
    this.#context = context
    this.#receiver = new Receiver(context, destination.concurrency)
    const { options, clock, random } = context
    this.#breaker = options.breaker ? new CircuitBreaker(clock, options.breaker, random) : undefined
  }

  get destination(): ResolvedDestination {
    return this.#destination
  }

  /** The next attempts are at this one. With another URL, it is a receiver of which nothing is known. */
  replace(destination: ResolvedDestination): void {
    const { url } = this.#destination
    this.#destination = destination
    if (JSON.stringify(url) === JSON.stringify(destination.url)) return
    this.#moves++
    this.#elsewhere = this.#running
    this.#hasAnswered = false
    this.#pausedUntilMs = 0
    this.#breaker?.reset()
  }

  /** Attempts under way. */
  get running(): number {
    return this.#running
  }

  get breakerState(): 'closed' | 'open' | 'half_open' {
    return this.#breaker?.state ?? 'closed'
  }

  /** Times the breaker opened. */
  get openings(): number {
    return this.#breaker?.openings ?? 0
  }

  /** Begins the attempts that are due, and sets the timer for the next ones. */
  wake(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    if (this.#isStopped) return
    const waitMs = this.#waitMs()
    if (waitMs > 0) return this.#wakeIn(waitMs)
    const room = this.#room()
    if (room <= 0) return
    try {
      const claimed = this.#claim(room)
      for (const delivery of claimed) this.#attempt(delivery)
      // Where as many as there was room for were due, the end of one of them goes on.
      if (claimed.length < room) this.#wakeWhenDue()
    } catch (error) {
      this.#pause(outboxPauseMs)
      this.#context.onOutboxFailure(error)
      this.#wakeIn(outboxPauseMs)
    }
  }

  /** Begins no further attempts. Resolves when those under way have ended. */
  async drain(): Promise<void> {
    this.#isStopped = true
    this.#cancelTimer?.()
    if (this.#running > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  /** Ends the attempts under way, and closes the connections. */
  async close(): Promise<void> {
    this.#isStopped = true
    this.#cancelTimer?.()
    await this.#receiver.close()
    await this.drain()
  }

  /** Time for which no attempt begins, in milliseconds. */
  #waitMs(): number {
    const pausedMs = this.#pausedUntilMs - this.#context.clock.now()
    return Math.max(0, pausedMs, this.#breaker?.waitMs ?? 0)
  }

  /**
   * Attempts that may begin. Until the receiver has answered, there is one at a time: it tells whether the receiver is there,
   * and which version of HTTP it speaks.
   */
  #room(): number {
    if (this.#breaker && !this.#breaker.admits) return 0
    const isProbe = !this.#hasAnswered || this.breakerState !== 'closed'
    return (isProbe ? 1 : this.destination.concurrency) - (this.#running - this.#elsewhere)
  }

  #claim(count: number): readonly StoredDelivery[] {
    const { outbox, clock } = this.#context
    const nowMs = clock.wallTimeMs()
    const { id, timeoutMs } = this.destination
    return outbox.claim(id, count, { nowMs, leaseEndsAtMs: nowMs + timeoutMs + leaseMarginMs })
  }

  #wakeWhenDue(): void {
    const { outbox, clock } = this.#context
    const dueAtMs = outbox.dueAtMs(this.destination.id)
    if (dueAtMs !== undefined) this.#wakeIn(Math.max(1, dueAtMs - clock.wallTimeMs()))
  }

  #wakeIn(delayMs: number): void {
    this.#cancelTimer?.()
    this.#cancelTimer = this.#context.clock.schedule(delayMs, () => this.wake())
  }

  #pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#context.clock.now() + ms)
  }

  async #attempt(delivery: StoredDelivery): Promise<void> {
    const { clock, latency } = this.#context
    const permit = this.#breaker?.tryAcquire()
    const begun: Begun = { permit, beganAtMs: clock.now(), moves: this.#moves }
    this.#running++
    this.counters.attempts++
    beginWork()
    try {
      const answer = await this.#post(delivery).catch((error: unknown) => ({ error: asBlobwireError(error) }))
      if ('status' in answer) {
        this.#hasAnswered ||= begun.moves === this.#moves
        latency.record(clock.now() - begun.beganAtMs)
      }
      this.#settle(delivery, answer, begun)
      if ('status' in answer) await answer.whenFree
    } finally {
      this.#running--
      if (begun.moves !== this.#moves) this.#elsewhere--
      endWork()
      if (this.#running === 0) for (const resolve of this.#whenIdle.splice(0)) resolve()
      this.wake()
    }
  }

  async #post(delivery: StoredDelivery): Promise<Answer> {
    const { options, clock } = this.#context
    const { url, headers, signers, timeoutMs } = this.destination
    return this.#receiver.post({
      url,
      ownHeaders: headers,
      headers: {
        'content-type': delivery.contentType,
        'user-agent': options.userAgent,
        ...signedHeaders(delivery, signers, clock.wallTimeMs())
      },
      body: delivery.body,
      timeoutMs
    })
  }

  #settle(delivery: StoredDelivery, end: AttemptEnd, { permit, beganAtMs, moves }: Begun): void {
    const { options, random, clock, onEnd, onOutboxFailure } = this.#context
    const verdict = judge(end, delivery.attempts + 1, { ...options, random, nowMs: clock.wallTimeMs() })
    if (permit !== undefined) this.#breaker?.record(permit, verdict.outcome, beganAtMs)
    if (verdict.pauseMs > 0 && moves === this.#moves) this.#pause(verdict.pauseMs)
    if (verdict.state === 'retry' || verdict.state === 'dead') this.counters.failedAttempts++
    try {
      if (!this.#store(delivery, verdict)) return
      if (verdict.state === 'delivered') this.counters.delivered++
      if (verdict.state === 'dead') this.counters.givenUp++
      onEnd(delivery, verdict)
    } catch (error) {
      // The lease ends, and the delivery is repeated: better twice than never.
      onOutboxFailure(error)
    }
  }

  /** False = another process has taken the delivery over meanwhile. */
  #store(delivery: StoredDelivery, { state, error, status, delayMs }: Verdict): boolean {
    const { outbox, clock } = this.#context
    const nowMs = clock.wallTimeMs()
    if (state === 'delivered') return outbox.remove(delivery)
    if (state === 'released') return outbox.postpone(delivery, nowMs)
    const stored = storedError(error as BlobwireError, status)
    if (state === 'dead') return outbox.bury(delivery, stored, nowMs)
    return outbox.postpone(delivery, Math.ceil(nowMs + delayMs), stored)
  }
}

interface Begun {
  readonly permit: Permit | undefined
  readonly beganAtMs: number
  readonly moves: number
}

function storedError({ code, reason, message }: BlobwireError, status: number | undefined): StoredError {
  return { code, reason, message: message.slice(0, 500), status }
}
