import { type LookupAddress, lookup, Resolver } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import type { Clock } from '../../core/clock.ts'

/** How long addresses are kept where nobody says, in milliseconds, and the bounds of what a name server may say. */
const defaultTtlMs = 30_000
const leastTtlMs = 1_000
const mostTtlMs = 300_000
/** Names are few: one endpoint, one proxy. */
const maxNames = 64

type Answer = readonly LookupAddress[]

/** Where addresses come from; tests have their own. */
export interface AddressSource {
  /** All addresses as the system knows them, `/etc/hosts` included. */
  lookup(host: string, callback: (error: NodeJS.ErrnoException | null, addresses: Answer) => void): void
  /** Addresses of one family with their times to live in seconds, from the name servers. */
  ttls(host: string, callback: (ttls: ReadonlyMap<string, number>) => void): void
  /** Ends what is under way. */
  close(): void
}

interface Entry {
  readonly addresses: Answer
  endsAtMs: number
}

/**
 * Keeps addresses of names for a while. What the system says counts, because it knows `/etc/hosts`; name servers are
 * asked beside it only for how long that is good, and where they do not know the same addresses, 30 s it is.
 */
export class CachingResolver {
  readonly #clock: Clock
  readonly #source: AddressSource
  readonly #entries = new Map<string, Entry>()
  readonly #waiting = new Map<string, ((error: NodeJS.ErrnoException | null, addresses: Answer) => void)[]>()

  constructor(clock: Clock, source: AddressSource = systemAddresses()) {
    this.#clock = clock
    this.#source = source
  }

  /** For `net.connect`. */
  readonly lookup: LookupFunction = (host, options, callback) => {
    this.#find(host, (error, found) => {
      const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : (options.family ?? 0)
      const addresses = family === 0 ? found : found.filter((address) => address.family === family)
      if (error || addresses.length === 0) {
        const missing = Object.assign(new Error(`no address for ${host}`), { code: 'ENOTFOUND' })
        return callback(error ?? missing, options.all ? [] : '')
      }
      const [first] = addresses as [LookupAddress]
      if (options.all) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    })
  }

  /** Addresses that did not work are asked for again. */
  forget(host: string): void {
    this.#entries.delete(host)
  }

  /** Ends what is under way. */
  close(): void {
    this.#source.close()
  }

  #find(host: string, callback: (error: NodeJS.ErrnoException | null, addresses: Answer) => void): void {
    const entry = this.#entries.get(host)
    if (entry && this.#clock.now() < entry.endsAtMs) {
      // As late as an answer of the system would be.
      queueMicrotask(() => callback(null, entry.addresses))
      return
    }
    const waiting = this.#waiting.get(host)
    if (waiting) {
      waiting.push(callback)
      return
    }
    this.#waiting.set(host, [callback])
    this.#source.lookup(host, (error, addresses) => {
      if (!error) this.#keep(host, addresses)
      const callbacks = this.#waiting.get(host) ?? []
      this.#waiting.delete(host)
      for (const each of callbacks) each(error, addresses ?? [])
    })
  }

  #keep(host: string, addresses: Answer): void {
    const now = this.#clock.now()
    const entry: Entry = { addresses, endsAtMs: now + defaultTtlMs }
    if (this.#entries.size >= maxNames) this.#entries.clear()
    this.#entries.set(host, entry)
    if (isIP(host) !== 0) return
    this.#source.ttls(host, (ttls) => {
      const seconds = addresses.map(({ address }) => ttls.get(address))
      if (seconds.some((value) => value === undefined)) return
      const ttlMs = Math.min(...(seconds as number[])) * 1000
      entry.endsAtMs = now + Math.min(mostTtlMs, Math.max(leastTtlMs, ttlMs))
    })
  }
}

function systemAddresses(): AddressSource {
  let resolver: Resolver | undefined
  return {
    lookup(host, callback) {
      lookup(host, { all: true, order: 'verbatim' }, callback)
    },
    ttls(host, callback) {
      // One try of one second: it is only for a number.
      resolver ??= new Resolver({ timeout: 1000, tries: 1 })
      const all = new Map<string, number>()
      const asked = resolver
      asked.resolve4(host, { ttl: true }, (error4, first) => {
        for (const { address, ttl } of error4 ? [] : first) all.set(address, ttl)
        asked.resolve6(host, { ttl: true }, (error6, second) => {
          for (const { address, ttl } of error6 ? [] : second) all.set(address, ttl)
          callback(all)
        })
      })
    },
    close() {
      resolver?.cancel()
    }
  }
}
