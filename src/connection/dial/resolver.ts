/** Resolves host names, and caches addresses for their time to live. */
import { type LookupAddress, lookup, Resolver } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import { abandonAfterWork } from '../../platform/process-hold.ts'
import { addressTurns } from './address-turns.ts'

/** The time to live where no name server tells it, and the bounds of the time that a name server tells, in milliseconds. */
const defaultTtlMs = 30_000
const leastTtlMs = 1_000
const mostTtlMs = 300_000
/** Most names in the cache; a connection needs two at most, of its endpoint and of its proxy. */
const maxNames = 64

type Answer = readonly LookupAddress[]

/** A source of addresses; tests pass their own. */
export interface AddressSource {
  /** All addresses by the system's resolver, which reads `/etc/hosts`. */
  lookup(host: string, callback: (error: NodeJS.ErrnoException | null, addresses: Answer) => void): void
  /** The addresses with their times to live in seconds, from the name servers. */
  ttls(host: string, callback: (ttls: ReadonlyMap<string, number>) => void): void
  /** Cancels the lookups under way. */
  close(): void
}

interface CacheEntry {
  readonly addresses: Answer
  endsAtMs: number
}

/**
 * Caches the addresses of names. The addresses are those of the system's resolver, which reads `/etc/hosts`; the name
 * servers only tell the time to live, and where their addresses differ it is 30 s.
 */
export class CachingResolver {
  readonly #clock: Clock
  readonly #source: AddressSource
  readonly #entries = new Map<string, CacheEntry>()
  readonly #waiting = new Map<string, ((error: NodeJS.ErrnoException | null, addresses: Answer) => void)[]>()

  constructor(clock: Clock, source: AddressSource = systemAddresses()) {
    this.#clock = clock
    this.#source = source
  }

  /** The option `lookup` of `net.connect`. */
  readonly lookup: LookupFunction = (host, options, callback) => {
    this.#find(host, (error, found) => {
      const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : (options.family ?? 0)
      const ofFamily = family === 0 ? found : found.filter((address) => address.family === family)
      const addresses = addressTurns.next(ofFamily, (address) => address.family)
      if (error || addresses.length === 0) {
        const missing = Object.assign(new Error(`no address for ${host}`), { code: 'ENOTFOUND' })
        return callback(error ?? missing, options.all ? [] : '')
      }
      const [first] = addresses as [LookupAddress]
      if (options.all) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    })
  }

  /**
   * All addresses of a name, those of a family together, and the family first that the system prefers. `anew` asks the
   * system also where the cached ones are not old yet.
   */
  addresses(host: string, anew: boolean): Promise<readonly (readonly string[])[]> {
    if (anew) this.forget(host)
    return new Promise((resolve, reject) => {
      this.#find(host, (error, found) => {
        if (error) return reject(error)
        const families = new Map<number, string[]>()
        for (const { address, family } of found) families.set(family, [...(families.get(family) ?? []), address])
        resolve([...families.values()])
      })
    })
  }

  /** Drops addresses that could not be connected to. */
  forget(host: string): void {
    this.#entries.delete(host)
  }

  /** Cancels the lookups under way. */
  close(): void {
    this.#source.close()
  }

  #find(host: string, callback: (error: NodeJS.ErrnoException | null, addresses: Answer) => void): void {
    const entry = this.#entries.get(host)
    if (entry && this.#clock.now() < entry.endsAtMs) {
      // Always asynchronous, as the answer of the system is.
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
    const entry: CacheEntry = { addresses, endsAtMs: now + defaultTtlMs }
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
      // One try of one second: only the time to live depends on the answer.
      resolver ??= new Resolver({ timeout: 1000, tries: 1 })
      const all = new Map<string, number>()
      const asked = resolver
      const forget = abandonAfterWork({ isPending: () => true, abandon: () => asked.cancel() })
      asked.resolve4(host, { ttl: true }, (error4, first) => {
        for (const { address, ttl } of error4 ? [] : first) all.set(address, ttl)
        asked.resolve6(host, { ttl: true }, (error6, second) => {
          forget()
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
