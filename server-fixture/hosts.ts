/**
 * The names by which a server without tokens is asked. A web site may have its own name resolve to a loopback address, and
 * then read and write with a browser on this machine (DNS rebinding): the name of the site is in the request.
 */
import { isIP } from 'node:net'
import { BlobwireError } from '../src/core/error.ts'

/** `https://` has certificates, which are of other names than that of such a site. */
interface HostOptions {
  /** Where the server listens. */
  readonly host: string
  /** Further names. */
  readonly hosts?: readonly string[] | undefined
}

const wildcards: ReadonlySet<string> = new Set(['0.0.0.0', '::'])
const loopback = /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|::1)\.?$/i

/** Of `Host` (RFC 9110 section 7.2) or `:authority`: without the port, in lower case. */
function nameOf(authority: string): string {
  const [, address, name = address] = /^\[([^\]]*)\](?::\d*)?$|^([^:]*)(?::\d*)?$/.exec(authority) ?? []
  return (name ?? authority).toLowerCase()
}

/** The names of one server. */
export class Hosts {
  readonly #host: string
  readonly #names: ReadonlySet<string>
  /** The last name that was allowed: most requests have the same. */
  #last: string | undefined

  /** @throws RangeError for a name that no request has */
  constructor({ host, hosts = [] }: HostOptions) {
    const wrong = hosts.find((name) => !/^(?:\*|[a-z0-9._-]+|[0-9a-f:.]+)$/i.test(name))
    if (wrong !== undefined)
      throw new RangeError(`hosts ${JSON.stringify(wrong)}: must be a name or an address, without a port, or *`)
    this.#host = host
    this.#names = new Set([host, ...hosts].map((name) => name.toLowerCase()))
  }

  /** Whether a request with this `Host` or `:authority` is answered. Browsers always send one. */
  allows(authority: string | undefined): boolean {
    if (authority === undefined || authority === '' || authority === this.#last) return true
    const name = nameOf(authority)
    const isOwn = loopback.test(name) || this.#names.has(name) || this.#names.has('*')
    // On all addresses: which ones, the system knows. A site has no control over an address.
    if (!isOwn && !(wildcards.has(this.#host) && isIP(name) !== 0)) return false
    this.#last = authority
    return true
  }

  /** @throws BlobwireError `permission_denied`, reason `unknown_host` */
  check(authority: string | undefined): void {
    if (this.allows(authority)) return
    const name = nameOf(authority as string).slice(0, 100)
    const message =
      `the server does not answer to the name ${JSON.stringify(name)}: ` +
      `start it with --hosts ${name} (docs/operating.md, "Names of hosts")`
    throw new BlobwireError({ reason: 'unknown_host', message })
  }
}
