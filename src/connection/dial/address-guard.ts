/**
 * Refuses connections by the address that they really go to. A check of the URL alone does not: the name may have another
 * address a moment later (DNS rebinding).
 */
import { isIP, type LookupFunction } from 'node:net'
import { BlobwireError } from '../../core/error.ts'

/** Says where connections must not go. */
export interface AddressGuard {
  /**
   * Why no connection may be opened to `host` at this port and address; undefined = it may. Without an address, as where a
   * proxy looks the name up, only host and port are judged.
   */
  problemOf(host: string, port: number, address: string | undefined): string | undefined
}

/** What a connection is for: the host and the port that a URL names. */
export interface Target {
  readonly host: string
  readonly port: number
}

/** @throws BlobwireError `permission_denied`, reason `address_refused` */
export function checkAddress(guard: AddressGuard, { host, port }: Target, address: string | undefined): void {
  const problem = guard.problemOf(host, port, address)
  if (problem === undefined) return
  const message = `no connection to ${host}:${port}: ${problem}`
  throw new BlobwireError({ reason: 'address_refused', message, sent: 'never' })
}

/**
 * A lookup that fails where any of the addresses is refused: a name with a public and a private address is an attempt to
 * get past the guard, or a mistake.
 * @internal
 */
export function guardedLookup(guard: AddressGuard, target: Target, lookup: LookupFunction): LookupFunction {
  return (host, options, callback) => {
    lookup(host, options, (error, found, family) => {
      if (error) return callback(error, found, family)
      try {
        const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address)
        for (const address of addresses) checkAddress(guard, target, address)
      } catch (refusal) {
        return callback(refusal as NodeJS.ErrnoException, typeof found === 'string' ? '' : [])
      }
      callback(null, found, family)
    })
  }
}

/** The address where the host is one itself: Node connects to it without a lookup. */
export function literalAddress(host: string): string | undefined {
  return isIP(host) === 0 ? undefined : host
}
