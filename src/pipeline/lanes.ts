import type { Clock } from '../core/clock.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import type { Call, Settle } from '../transport/transport.ts'
import { type Breaker, refused } from './breaker.ts'

/** The way to one endpoint over one transport: what carries a call there, and what is known of how it is doing. */
export interface Lane {
  /** The endpoint as it was given. */
  readonly endpoint: string
  readonly transport: TransportName
  readonly breaker: Breaker | undefined
  /** It has answered. */
  proven: boolean
  /** Attempts under way. */
  inFlight: number
  /** When it was let back in after its breaker was open; it is given its full share slowly. */
  returnedAtMs: number
  submit(call: Call, settle: Settle): void
}

/** An endpoint that has come back has its full share after this long. */
const slowReturnMs = 10_000
/** It begins with this share. */
const leastShare = 0.1

/** Where a call goes, and the pass it has to leave its breaker with. */
export interface Picked {
  readonly lane: Lane
  readonly pass: number
}

/**
 * Picks an endpoint for each attempt: of those whose breaker lets it in, the one with the fewest attempts under way, and
 * of equals another one each time. `avoid` comes last: where it has just failed.
 */
export class Lanes<Kind extends Lane = Lane> {
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
  pick(avoid?: Lane): Picked {
    const lane = this.all.length === 1 ? this.all[0] : this.#leastLoaded(avoid)
    const pass = lane?.breaker === undefined ? 0 : lane.breaker.enter()
    if (lane === undefined || pass === refused) throw this.#circuitOpen()
    return { lane, pass }
  }

  /** Whether an attempt could go elsewhere than to this one. */
  hasOther(lane: Lane): boolean {
    return this.all.some((other) => other !== lane && (other.breaker?.admits ?? true))
  }

  #leastLoaded(avoid: Lane | undefined): Lane | undefined {
    const count = this.all.length
    const last = this.#turn
    let best: Lane | undefined
    let bestLoad = Number.POSITIVE_INFINITY
    for (let step = 1; step <= count; step++) {
      const place = (last + step) % count
      const lane = this.all[place] as Lane
      if (lane.breaker !== undefined && !lane.breaker.admits) continue
      const load = lane === avoid ? Number.MAX_VALUE : (lane.inFlight + 1) / this.#share(lane)
      if (load < bestLoad) {
        best = lane
        bestLoad = load
        this.#turn = place
      }
    }
    return best
  }

  /** Grows from a tenth to 1. */
  #share({ returnedAtMs }: Lane): number {
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
