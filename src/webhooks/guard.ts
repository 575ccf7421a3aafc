/** The guard of destinations: whoever may name a URL must not reach machines that only this one reaches. */
import { BlockList, isIP, isIPv4 } from 'node:net'
import { type AddressGuard, checkAddress, literalAddress } from '../connection/dial/address-guard.ts'
import { plainAddress, specialName } from '../connection/dial/special-addresses.ts'
import { checkKeys, checkObject, show } from '../core/check-options.ts'
import { BlobwireError, invalidArgument } from '../core/error.ts'
import { resolveRows } from '../options/resolve.ts'

/** Which destinations a sender may connect to; see `WebhookSenderOptions.guard`. */
export interface WebhookGuardOptions {
  /**
   * Hosts (`hooks.internal`, `*.internal`), addresses and subnets (`10.1.0.0/16`, `::1`) that are allowed although the guard
   * would refuse their address or port. A subnet counts for the address that a connection really goes to.
   * @default []
   */
  allow?: readonly string[] | undefined
  /**
   * Ports of destinations that are not in `allow`; `'any'` = all.
   * @default [443, 80, 8443, 8080]
   */
  ports?: readonly number[] | 'any' | undefined
  /**
   * Whether `http://` is allowed: anybody on the way can read such a webhook.
   * @default false
   */
  http?: boolean | undefined
  /**
   * Says that the proxy of `connection.proxy` refuses private addresses itself. A proxy looks names up, so that the sender
   * does not see where its connections go; without this a sender with a proxy is refused.
   * @default false
   */
  proxyGuards?: boolean | undefined
}

const defaultPorts = [443, 80, 8443, 8080]

const flagRows = {
  http: { kind: 'boolean', default: false },
  proxyGuards: { kind: 'boolean', default: false }
} as const
type Flags = Record<keyof typeof flagRows, boolean>

/** A destination's URL, taken apart. */
export interface GuardedUrl {
  readonly secure: boolean
  /** As a URL has it: IPv6 addresses in brackets. */
  readonly hostname: string
  readonly port: number
  /** Path and query. */
  readonly path: string
}

/** Judges URLs when they are given, and addresses when connections are opened. */
export class DestinationGuard implements AddressGuard {
  readonly #hosts: ReadonlySet<string>
  readonly #suffixes: readonly string[]
  readonly #subnets: BlockList
  readonly #ports: readonly number[] | 'any'
  readonly #http: boolean

  /** @throws BlobwireError `invalid_argument` */
  constructor(given: WebhookGuardOptions | undefined, proxy: string | undefined) {
    const options = checkObject('guard', given)
    checkKeys('guard', options, ['allow', 'ports', 'http', 'proxyGuards'])
    const { allow = [], ports = defaultPorts, ...flags } = options
    const { http, proxyGuards } = resolveRows('guard', flags, flagRows) as Flags
    this.#http = http
    if (!proxyGuards && proxy !== undefined) {
      const problem =
        'must be true with connection.proxy: the proxy looks names up, and has to refuse private addresses'
      throw invalidArgument('guard.proxyGuards', problem)
    }
    this.#ports = checkPorts(ports)
    if (!Array.isArray(allow)) throw invalidArgument('guard.allow', `must be a list, not ${show(allow)}`)
    const names = allow.filter((entry, index) => isHostName(entry, index))
    this.#hosts = new Set(names.filter((name) => !name.startsWith('*')).map((name) => name.toLowerCase()))
    this.#suffixes = names.filter((name) => name.startsWith('*')).map((name) => name.slice(1).toLowerCase())
    this.#subnets = subnetsOf(allow.filter((entry) => !names.includes(entry)))
  }

  /**
   * Takes a URL apart that this guard lets through, as far as can be told before its name is looked up.
   * @throws BlobwireError `permission_denied`, reason `address_refused`; `invalid_argument` where it is no URL for webhooks
   */
  checkUrl(name: string, text: unknown): GuardedUrl {
    const url = typeof text === 'string' && text.length <= 4096 && URL.canParse(text) ? new URL(text) : undefined
    const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:'
    if (url === undefined || !isHttp || url.hostname === '') throw invalidArgument(name, 'must be an https:// URL')
    if (url.username !== '' || url.password !== '') {
      throw invalidArgument(name, 'must have no user and password; give them as headers: { authorization: "Basic …" }')
    }
    const secure = url.protocol === 'https:'
    if (!secure && !this.#http) throw refused(`${name}: http:// is not allowed (guard.http)`)
    const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const address = literalAddress(host)
    if (address !== undefined) checkAddress(this, { host, port }, address)
    return { secure, hostname: url.hostname, port, path: url.pathname + url.search }
  }

  problemOf(host: string, port: number, given: string | undefined): string | undefined {
    if (this.#allowsHost(host.toLowerCase().replace(/\.$/, ''))) return undefined
    const address = given === undefined ? undefined : plainAddress(given)
    if (address !== undefined && this.#subnets.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')) return undefined
    const special = given === undefined ? undefined : specialName(given)
    if (special !== undefined) return `its address ${given} is ${special} (guard.allow)`
    if (this.#ports !== 'any' && !this.#ports.includes(port))
      return `the port is not allowed (guard.ports, guard.allow)`
    return undefined
  }

  #allowsHost(host: string): boolean {
    return this.#hosts.has(host) || this.#suffixes.some((suffix) => host.endsWith(suffix))
  }
}

function refused(message: string): BlobwireError {
  return new BlobwireError({ reason: 'address_refused', message, sent: 'never' })
}

function checkPorts(ports: unknown): readonly number[] | 'any' {
  const isPort = (port: unknown) => Number.isInteger(port) && (port as number) > 0 && (port as number) < 65_536
  if (ports === 'any' || (Array.isArray(ports) && ports.every(isPort))) return ports
  throw invalidArgument('guard.ports', `must be "any" or a list of ports from 1 to 65535, not ${show(ports)}`)
}

/** Whether an entry is a host name; it may be a subnet instead. */
function isHostName(entry: unknown, index: number): boolean {
  if (typeof entry === 'string') {
    if (subnetOf(entry) !== undefined) return false
    const isNumber = /^[\d.]+$/.test(entry)
    if (!isNumber && /^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(entry)) return true
  }
  const allowed = 'a host (hooks.internal, *.internal), an address or a subnet (10.1.0.0/16)'
  throw invalidArgument(`guard.allow[${index}]`, `must be ${allowed}, not ${show(entry)}`)
}

function subnetOf(entry: string): [address: string, bits: number, family: 'ipv4' | 'ipv6'] | undefined {
  const [address = '', bits, ...more] = entry.split('/')
  const version = isIP(address)
  const most = version === 4 ? 32 : 128
  const isBits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
  if (version === 0 || more.length > 0 || !isBits) return undefined
  return [address, bits === undefined ? most : Number(bits), version === 4 ? 'ipv4' : 'ipv6']
}

function subnetsOf(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const subnet = subnetOf(entry)
    if (subnet) list.addSubnet(...subnet)
  }
  return list
}
