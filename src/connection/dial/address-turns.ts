/** The order in which the addresses of a name are tried. */

/**
 * Each connection begins with another address of its family, the first one with any: clients of one name spread over the
 * servers behind it. Which family comes first is the system's choice (RFC 6724), as the name is resolved.
 */
export class AddressTurns {
  #turn: number

  /** @param random from 0 up to 1 */
  constructor(random: () => number) {
    this.#turn = Math.floor(random() * 2 ** 16)
  }

  next<Address>(addresses: readonly Address[], familyOf: (address: Address) => unknown): readonly Address[] {
    if (addresses.length < 2) return addresses
    const turn = this.#turn++
    const families = new Map<unknown, Address[]>()
    for (const address of addresses) {
      const family = families.get(familyOf(address))
      if (family) family.push(address)
      else families.set(familyOf(address), [address])
    }
    for (const [family, all] of families) {
      const first = turn % all.length
      families.set(family, [...all.slice(first), ...all.slice(0, first)])
    }
    return addresses.map((address) => families.get(familyOf(address))?.shift() as Address)
  }
}

/** Of all connections of the process. */
export const addressTurns: AddressTurns = new AddressTurns(Math.random)
