import type { Clock } from '../core/clock.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import type { Call, Sink } from '../transport/transport.ts'
import { type CircuitBreaker, noPermit } from './circuit-breaker.ts'

/** The way to one endpoint over one transport: what carries a call there, and what is known of how it is doing. */
export interface Channel {
  /** The endpoint as it was given. */
  readonly endpoint: string
  readonly transport: TransportName
  readonly breaker: CircuitBreaker | undefined
  /** It has answered. */
  verified: boolean
  /** Attempts under way. */
  inFlight: number
  /** When it was let back in after its breaker was open; it is given its full share slowly. */
  returnedAtMs: number
  submit(call: Call, sink: Sink): void
}

/** An endpoint that has come back has its full share after this long. */
const slowReturnMs = 10_000
/** It begins with this share. */
const leastShare = 0.1

/** Where a call goes, and the pass it has to leave its breaker with. */
export interface Pick {
  readonly channel: Channel
  readonly permit: number
}

/**
 * Picks an endpoint for each attempt: of those whose breaker lets it in, the one with the fewest attempts under way, and
 * of equals another one each time. `avoid` comes last: where it has just failed.
 */
export class Picker<Kind extends Channel = Channel> {
  readonly all: readonly Kind[]
  readonly #clock: Clock
  /** Place of the one that was picked last. */
  #turn: number

  constructor(all: readonly Kind[], clock: Clock, random: () => number = Math.random) {
    this.all = all
    this.#clock = clock
    // Clients that begin together do not all begin with the first endpoint.
    this.#turn = Math.floor(random() * all.length)
  }

  /** The lane to take, entered. @throws BlobwireError `unavailable`, reason `circuit_open` where none lets it in */
  pick(avoid?: Channel): Pick {
    const channel = this.all.length === 1 ? this.all[0] : this.#leastLoaded(avoid)
    const permit = channel?.breaker === undefined ? 0 : channel.breaker.tryAcquire()
    if (channel === undefined || permit === noPermit) throw this.#circuitOpen()
    return { channel, permit }
  }

  /** Whether an attempt could go elsewhere than to this one. */
  hasOther(channel: Channel): boolean {
    return this.all.some((other) => other !== channel && (other.breaker?.admits ?? true))
  }

  #leastLoaded(avoid: Channel | undefined): Channel | undefined {
    const count = this.all.length
    const last = this.#turn
    let best: Channel | undefined
    let bestLoad = Number.POSITIVE_INFINITY
    for (let step = 1; step <= count; step++) {
      const place = (last + step) % count
      const channel = this.all[place] as Channel
      if (channel.breaker !== undefined && !channel.breaker.admits) continue
      const load = channel === avoid ? Number.MAX_VALUE : (channel.inFlight + 1) / this.#share(channel)
      if (load < bestLoad) {
        best = channel
        bestLoad = load
        this.#turn = place
      }
    }
    return best
  }

  /** Grows from a tenth to 1. */
  #share({ returnedAtMs }: Channel): number {
    if (returnedAtMs === Number.NEGATIVE_INFINITY) return 1
    return Math.min(1, Math.max(leastShare, (this.#clock.now() - returnedAtMs) / slowReturnMs))
  }

  #circuitOpen(): BlobwireError {
    const waitMs = Math.min(...this.all.map(({ breaker }) => breaker?.waitMs ?? 0))
    const where = this.all.map(({ endpoint }) => endpoint).join(', ')
    const message = `calls to ${where} failed repeatedly; none is sent for ${Math.ceil(waitMs)} ms`
    const details = waitMs > 0 ? { retryAfterMs: waitMs } : {}
    return new BlobwireError({ code: 'unavailable', reason: 'circuit_open', message, details })
  }
}
