/**
 * The channels of an endpoint whose name may have several addresses: one for each, as gRPC's `round_robin` has them. The
 * name begins with a channel for any address, which serves until one for an address has been connected to.
 */
import type { Clock } from '../core/clock.ts'
import type { ChannelOfName, EndpointChannel } from './endpoint-channel.ts'

/** Tells the addresses of one name, by family, the preferred one first; `anew` = not those of a cache. Rejects where there are none. */
export type AddressLookup = (anew: boolean) => Promise<readonly (readonly string[])[]>

export interface NameChannelsContext {
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  readonly lookup: AddressLookup
  readonly newChannel: (ofName: ChannelOfName) => EndpointChannel
  /** There are other channels than before. */
  readonly onChange: () => void
}

/** Time between two looks at the addresses, which the resolver answers from its cache for their time to live. */
const intervalMs = 5000
const jitter = 0.2
/** Failures make the client ask anew, not more often than this. */
const leastIntervalMs = 1000
/** Time between two looks at a channel that nothing new is sent over. */
const drainCheckMs = 1000
/** Most addresses of one name; each has connections of its own. Clients choose different ones. */
const maxAddresses = 64

export class NameChannels {
  readonly #context: NameChannelsContext
  readonly #first: EndpointChannel
  /** In use; without any, the first channel is. */
  readonly #byAddress = new Map<string, EndpointChannel>()
  /** Of new addresses, until they have been connected to. */
  readonly #connecting = new Set<EndpointChannel>()
  /** Their attempts go on, and no others begin. */
  readonly #draining = new Set<EndpointChannel>()
  #cancelTimer: (() => void) | undefined
  #cancelNext: (() => void) | undefined
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #isLooking = false
  /** Attempts at the last look: a client that makes none needs no addresses. */
  #attempts = 0
  #isClosed = false

  constructor(context: NameChannelsContext) {
    this.#context = context
    this.#first = this.#newChannel(undefined)
  }

  /** Those that attempts may go to. */
  get channels(): readonly EndpointChannel[] {
    return this.#byAddress.size === 0 ? [this.#first] : [...this.#byAddress.values()]
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelTimer?.()
    this.#cancelNext?.()
    const others = [...this.#byAddress.values(), ...this.#connecting, ...this.#draining]
    await Promise.all([this.#first, ...others].map((channel) => channel.close()))
  }

  #newChannel(address: string | undefined): EndpointChannel {
    return this.#context.newChannel({
      address,
      first: address === undefined ? undefined : this.#first,
      onOpen: () => {
        if (this.#cancelTimer === undefined) this.#begin()
      },
      onFailure: () => this.#lookAnew()
    })
  }

  #begin(): void {
    this.#setTimer()
    void this.#look(false)
  }

  #setTimer(): void {
    const { clock, random } = this.#context
    if (this.#isClosed) return
    this.#cancelTimer = clock.schedule(intervalMs * (1 + jitter * (random() - 0.5)), () => {
      this.#setTimer()
      const { channels } = this
      const attempts = channels.reduce((sum, channel) => sum + channel.attempts, 0)
      const isInUse = attempts !== this.#attempts || channels.some(({ inFlight }) => inFlight > 0)
      this.#attempts = attempts
      if (isInUse) void this.#look(false)
    })
  }

  /** At once, or as soon as it may be again. */
  #lookAnew(): void {
    const { clock } = this.#context
    const waitMs = this.#lookedAtMs + leastIntervalMs - clock.now()
    if (this.#cancelNext !== undefined || this.#isClosed) return
    if (waitMs <= 0) return void this.#look(true)
    this.#cancelNext = clock.schedule(waitMs, () => {
      this.#cancelNext = undefined
      void this.#look(true)
    })
  }

  /** Asks for the addresses, and takes them over. One look at a time. */
  async #look(anew: boolean): Promise<void> {
    if (this.#isLooking || this.#isClosed) return
    this.#isLooking = true
    this.#lookedAtMs = this.#context.clock.now()
    try {
      await this.#take(await this.#context.lookup(anew))
    } catch {
      // Without an answer, the channels stay as they are.
    } finally {
      this.#isLooking = false
    }
  }

  /** Of a name with addresses of two families, those of the preferred one that can be connected to. */
  async #take(families: readonly (readonly string[])[]): Promise<void> {
    // One address is the name's own, as long as there were never more.
    if (this.#byAddress.size === 0 && families.flat().length < 2) return
    for (const addresses of families) {
      const wanted = new Set(this.#chosen(addresses))
      const added = [...wanted].filter((address) => !this.#byAddress.has(address))
      await Promise.all(added.map((address) => this.#add(address)))
      if (![...wanted].some((address) => this.#byAddress.has(address))) continue
      const gone = [...this.#byAddress].filter(([address]) => !wanted.has(address))
      for (const [address, channel] of gone) {
        this.#byAddress.delete(address)
        this.#drain(channel)
      }
      if (gone.length > 0) this.#context.onChange()
      return
    }
  }

  /** Those in use first, then others in any order. */
  #chosen(addresses: readonly string[]): readonly string[] {
    if (addresses.length <= maxAddresses) return addresses
    const { random } = this.#context
    const order = new Map(addresses.map((address) => [address, this.#byAddress.has(address) ? -1 : random()]))
    return addresses.toSorted((one, other) => Number(order.get(one)) - Number(order.get(other))).slice(0, maxAddresses)
  }

  /** Takes a new address into use once it has been connected to; otherwise the next look tries it again. */
  async #add(address: string): Promise<void> {
    const channel = this.#newChannel(address)
    this.#connecting.add(channel)
    const isThere = await channel.canConnect()
    this.#connecting.delete(channel)
    if (!isThere || this.#isClosed) return void channel.close()
    const isFirst = this.#byAddress.size === 0
    this.#byAddress.set(address, channel)
    this.#context.onChange()
    if (isFirst) this.#drain(this.#first)
  }

  /** Closes a channel that is out of use once its attempts have ended. What it counted stays with the name. */
  #drain(channel: EndpointChannel): void {
    const first = this.#first
    if (channel !== first) {
      first.attempts += channel.attempts
      first.openingsBefore += channel.breaker?.openings ?? 0
    }
    this.#draining.add(channel)
    channel.moveWatches()
    const check = () => {
      if (this.#isClosed) return
      if (channel.inFlight > 0) return void this.#context.clock.schedule(drainCheckMs, check)
      this.#draining.delete(channel)
      void channel.closeIdle().then(() => channel.close())
    }
    this.#context.clock.schedule(drainCheckMs, check)
  }
}
