/** Packet lines of Git's protocols (gitprotocol-common(5), "pkt-line Format"), as they arrive. */

/** Longest line, with its header. */
const maxLineBytes = 65_520
/** Before the text of a line. */
export const headerBytes = 4

/** Splits a stream into its lines. */
export class PacketLines {
  #rest: Buffer = Buffer.alloc(0)

  /** Takes the next bytes. */
  push(chunk: Uint8Array): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
  }

  /**
   * The lines that are whole now and were not read before, without their headers; undefined = a flush packet.
   *
   * @throws Error where the bytes are no packet lines
   */
  *read(): Iterable<Buffer | undefined> {
    while (this.#rest.length >= headerBytes) {
      const length = lengthOf(this.#rest)
      if (this.#rest.length < length) return
      const line = length === 0 ? undefined : this.#rest.subarray(headerBytes, length)
      this.#rest = this.#rest.subarray(Math.max(length, headerBytes))
      yield line
    }
  }
}

function lengthOf(bytes: Buffer): number {
  const header = bytes.toString('latin1', 0, headerBytes)
  const length = /^[0-9a-f]{4}$/i.test(header) ? Number.parseInt(header, 16) : Number.NaN
  // 1 to 3 are special packets of other protocols.
  if (length === 0 || (length >= headerBytes && length <= maxLineBytes)) return length
  throw new Error(`no packet line: ${JSON.stringify(header)}`)
}

/** One line. */
export function packet(text: string | Uint8Array): Buffer {
  const bytes = Buffer.from(text as string)
  const header = (bytes.length + headerBytes).toString(16).padStart(headerBytes, '0')
  return Buffer.concat([Buffer.from(header, 'latin1'), bytes])
}

/** The end of a list of lines. */
export const flushPacket = Buffer.from('0000', 'latin1')
