/** Picks an endpoint for each attempt. */

import type { WatchListener } from '../batch/session-watches.ts'
import type { Call, Sink } from '../call/call.ts'
import type { Clock } from '../core/clock.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import type { FailureCounts } from '../core/failure-counts.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import type { Transport } from '../transport/transport.ts'
import type { AdaptiveLimits } from './adaptive-limits.ts'
import type { Permit } from './circuit-breaker.ts'
import type { Outcome } from './outcome.ts'
import { type Awaited, WaitingRoom } from './waiting-room.ts'

/** What an attempt of a transfer needs to begin. */
export interface OpenedTransfer {
  readonly transport: Transport
  readonly headers: Readonly<Record<string, string>>
}

/** A watch for a channel. */
export interface ChannelWatch {
  readonly request: Init<Messages['WatchRefsRequest']>
  readonly listener: WatchListener
  readonly token: string | undefined
}

/** The way to one endpoint over one transport, as those who choose see it. */
export interface Channel extends Awaited {
  /** The endpoint as it was given. */
  readonly endpoint: string
  readonly transport: TransportName
  /** The endpoint has answered over this transport. */
  verified: boolean
  /** Attempts so far. */
  attempts: number
  /** Attempts under way. */
  inFlight: number
  /** Share of the calls, compared with other channels. */
  readonly weight: number
  /** Undefined = no limit adapts. */
  readonly adaptive: AdaptiveLimits | undefined
  /** Milliseconds for one attempt; undefined = only the call's deadline counts. */
  readonly attemptTimeoutMs: number | undefined
  /** Of attempts. */
  readonly failures: FailureCounts
  /** When the breaker last closed again; -Infinity = it never opened. */
  readonly recoveredAtMs: number
  /** The last failure that told something about the endpoint. */
  lastFailure: BlobwireError | undefined
  submit(call: Call, sink: Sink): void
  /** The transport, opened, and these headers with what every request has: an id, and the bearer token. */
  openTransfer(headers: Readonly<Record<string, string>>, token: string | undefined): Promise<OpenedTransfer>
  /** Begins a watch on the session of this token. Returns the function that ends it. @throws BlobwireError where there are no sessions */
  watch(watching: ChannelWatch): () => void
  /** Whether an attempt that began then, and had no answer, tells that the endpoint is silent. */
  isSilentSince(beganAtMs: number): boolean
  /** An attempt that was picked has ended. `beganAtMs` is the clock's time at `pick`. */
  attemptEnded(permit: Permit, outcome: Outcome, beganAtMs: number): void
}

/** An endpoint that has recovered has its full share of calls after this long (slow start, as Envoy has it). */
const slowStartMs = 10_000
/** It begins with this share. */
const leastShare = 0.1

/** The channel for an attempt, and the permit of its breaker. */
export class Pick {
  readonly channel: Channel
  readonly permit: Permit

  constructor(channel: Channel, permit: Permit) {
    this.channel = channel
    this.permit = permit
  }
}

/**
 * Least request with slow start: of the channels whose breaker gives a permit, the one with the fewest attempts under
 * way for its weight, and of equals another one each time. `avoid`, where the call has just failed, comes last.
 */
export class Picker<Kind extends Channel = Channel> {
  channels: readonly Kind[]
  /** Calls for which no breaker gives a permit. */
  readonly waitingRoom: WaitingRoom
  readonly #clock: Clock
  /** Place of the channel that was picked last. */
  #last: number
  /** Weights differ. */
  #isWeighted = false
  /** Of weighted channels: the virtual time at which the calls that they were given are served, and that of the last. */
  #servedAt: number[]
  #virtualTime = 0

  constructor(channels: readonly Kind[], clock: Clock, random: () => number = Math.random) {
    this.channels = channels
    this.#clock = clock
    this.waitingRoom = new WaitingRoom(channels, clock, random)
    // Clients that begin together do not all begin with the first endpoint.
    this.#last = Math.floor(random() * channels.length)
    this.#servedAt = channels.map(() => 0)
    this.weigh()
  }

  /** Changes the channels: those that stay keep their turn, and calls that wait may begin at new ones. */
  setChannels(channels: readonly Kind[]): void {
    const before = new Map(this.channels.map((channel, place) => [channel, this.#servedAt[place] as number]))
    this.channels = channels
    this.#servedAt = channels.map((channel) => before.get(channel) ?? this.#virtualTime)
    this.weigh()
    this.waitingRoom.setEndpoints(channels)
  }

  /** Takes note of weights that have changed. */
  weigh(): void {
    this.#isWeighted = this.channels.some(({ weight }) => weight !== this.channels[0]?.weight)
  }

  /** Undefined = no breaker gives a permit. */
  pick(avoid?: Channel): Pick | undefined {
    const channel = this.channels.length === 1 ? this.channels[0] : this.#best(avoid)
    const permit = channel?.breaker === undefined ? 0 : channel.breaker.tryAcquire()
    return channel === undefined || permit === undefined ? undefined : new Pick(channel, permit)
  }

  /** Whether an attempt could go to another channel than this one. */
  hasOther(channel: Channel): boolean {
    return this.channels.some((other) => other !== channel && (other.breaker?.admits ?? true))
  }

  #best(avoid: Channel | undefined): Channel | undefined {
    return this.#isWeighted ? this.#leastForWeight(avoid) : this.#leastLoaded(avoid)
  }

  /**
   * The least loaded for its weight; of equals, such as idle ones, each in proportion to its weight ("Stride Scheduling",
   * Waldspurger and Weihl, 1995).
   */
  #leastForWeight(avoid: Channel | undefined): Channel | undefined {
    let best: { channel: Channel; place: number; load: number; servedAt: number; cost: number } | undefined
    for (const [place, channel] of this.channels.entries()) {
      if (channel.breaker !== undefined && !channel.breaker.admits) continue
      const cost = 1 / (channel.weight * this.#share(channel))
      const load = channel === avoid ? Number.MAX_VALUE : channel.inFlight * cost
      const servedAt = Math.max(this.#virtualTime, (this.#servedAt[place] as number) + cost)
      if (best === undefined || load < best.load || (load === best.load && servedAt < best.servedAt)) {
        best = { channel, place, load, servedAt, cost }
      }
    }
    if (best === undefined) return undefined
    this.#servedAt[best.place] = best.servedAt
    this.#virtualTime = best.servedAt - best.cost
    return best.channel
  }

  #leastLoaded(avoid: Channel | undefined): Channel | undefined {
    const count = this.channels.length
    const last = this.#last
    let best: Channel | undefined
    let bestLoad = Number.POSITIVE_INFINITY
    for (let step = 1; step <= count; step++) {
      const place = (last + step) % count
      const channel = this.channels[place] as Channel
      if (channel.breaker !== undefined && !channel.breaker.admits) continue
      const load = channel === avoid ? Number.MAX_VALUE : (channel.inFlight + 1) / this.#share(channel)
      if (load < bestLoad) {
        best = channel
        bestLoad = load
        this.#last = place
      }
    }
    return best
  }

  /** Grows from a tenth to 1. */
  #share({ recoveredAtMs }: Channel): number {
    if (recoveredAtMs === Number.NEGATIVE_INFINITY) return 1
    return Math.min(1, Math.max(leastShare, (this.#clock.now() - recoveredAtMs) / slowStartMs))
  }

  /** The error of a call that waited in vain for a permit. */
  circuitOpen(): BlobwireError {
    const retryAfterMs = Math.ceil(Math.min(...this.channels.map(({ breaker }) => breaker?.waitMs ?? 0)))
    const where = [...new Set(this.channels.map(({ endpoint }) => endpoint))].join(', ')
    const cause = this.channels.find(({ lastFailure }) => lastFailure !== undefined)?.lastFailure
    const why = cause === undefined ? '' : ` (${cause.message})`
    // A call that has waited outlasts the time until a probe.
    const until = retryAfterMs === 0 ? 'until a probe passes' : `for ${retryAfterMs} ms`
    const message = `calls to ${where} keep failing${why}; the circuit breaker blocks them ${until}`
    return new BlobwireError({ reason: 'circuit_open', message, details: { retryAfterMs }, cause })
  }
}
