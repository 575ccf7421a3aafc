/**
 * Addresses that are not on the public internet. Source: the IANA registries of special-purpose addresses (RFC 6890), and
 * the addresses at which clouds tell their machines secrets.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net'

type Range = readonly [name: string, ...subnets: string[]]

/** A class of addresses, with the list that finds them. */
interface Special {
  readonly name: string
  readonly list: BlockList
}

const ipv4: readonly Special[] = [
  ['unspecified', '0.0.0.0/8'],
  ['loopback', '127.0.0.0/8'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  // Alibaba's metadata is at 100.100.100.200.
  ['shared (carrier-grade NAT)', '100.64.0.0/10'],
  // The metadata of most clouds is at 169.254.169.254.
  ['link-local', '169.254.0.0/16'],
  // Azure's wire server, and Oracle's metadata in the next range.
  ['metadata', '168.63.129.16/32'],
  ['reserved', '192.0.0.0/24', '192.88.99.0/24', '240.0.0.0/4'],
  ['documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'],
  ['benchmark', '198.18.0.0/15'],
  ['multicast', '224.0.0.0/4']
].map((range) => specialOf(range as unknown as Range, 'ipv4'))

const ipv6: readonly Special[] = [
  ['unspecified', '::/128'],
  ['loopback', '::1/128'],
  ['private (unique local)', 'fc00::/7'],
  ['link-local', 'fe80::/10'],
  ['multicast', 'ff00::/8'],
  // Teredo, benchmarks, ORCHID.
  ['reserved for protocols', '2001::/23'],
  ['6to4', '2002::/16'],
  ['documentation', '2001:db8::/32', '3fff::/20']
].map((range) => specialOf(range as unknown as Range, 'ipv6'))

/** The addresses that are assigned for unicast: all others are reserved, as IPv4-compatible ones are. */
const unicast = specialOf(['unicast', '2000::/3'], 'ipv6').list

/** Addresses of IPv4 inside IPv6: as the kernel maps them, and as a translator reads them (RFC 6052 section 2.1). */
const embedding = specialOf(['embedding', '::ffff:0:0/96', '64:ff9b::/96'], 'ipv6').list

function specialOf([name, ...subnets]: Range, family: 'ipv4' | 'ipv6'): Special {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [address = '', bits] = subnet.split('/')
    list.addSubnet(address, Number(bits), family)
  }
  return { name, list }
}

/**
 * The address without a zone, and as one of IPv4 where it holds one that a connection ends at; undefined for text that is
 * no address.
 */
export function plainAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  if (!isIPv6(text)) return undefined
  const address = text.replace(/%.*$/, '')
  return isWithin(embedding, address, 'ipv6') ? lastFour(address) : address
}

/** The class of an address that is not on the public internet; undefined = it is. */
export function specialName(text: string): string | undefined {
  const address = plainAddress(text)
  if (address === undefined) return 'no address'
  if (isIPv4(address)) return ipv4.find(({ list }) => isWithin(list, address, 'ipv4'))?.name
  const found = ipv6.find(({ list }) => isWithin(list, address, 'ipv6'))?.name
  return found ?? (isWithin(unicast, address, 'ipv6') ? undefined : 'reserved')
}

/** A `BlockList` with an address of IPv4 matches the same address mapped into IPv6, too; these lists have one family each. */
function isWithin(list: BlockList, address: string, family: 'ipv4' | 'ipv6'): boolean {
  return list.check(address, family)
}

/** The last four bytes as an address of IPv4. A URL writes them as two groups of hex digits. */
function lastFour(address: string): string {
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(':')
  // Where `::` is in place of the groups, they are 0.
  const [high = 0, low = 0] = groups.slice(-2).map((group) => Number.parseInt(group || '0', 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}
