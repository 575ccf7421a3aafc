/**
 * In the place of `codec/msgpack-values.ts`, in fewer bytes: reads the formats that `scanMessagePack` lets through, and
 * relies on its checks. Source: the MessagePack specification, "Formats".
 */
import { decodeUtf8, toNative } from '../../platform/bytes.ts'
import type * as Replaced from '../msgpack-values.ts'

export const readValue: typeof Replaced.readValue = (bytes) => new Values(bytes).next()

const twoTo32 = 2 ** 32

class Values {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  next(): unknown {
    const head = this.#uint(1)
    if (head <= 0x7f) return head
    if (head <= 0x8f) return this.#map(head & 0x0f)
    if (head <= 0x9f) return this.#list(head & 0x0f)
    if (head <= 0xbf) return this.#text(head & 0x1f)
    if (head >= 0xe0) return head - 0x100
    if (head <= 0xc3) return head === 0xc0 ? null : head === 0xc3
    if (head <= 0xc6) return this.#take(this.#uint(1 << (head - 0xc4)))
    if (head === 0xca) return this.#view.getFloat32(this.#skip(4))
    if (head === 0xcb) return this.#view.getFloat64(this.#skip(8))
    if (head <= 0xcf) return this.#uint(1 << (head - 0xcc))
    if (head <= 0xd2) return this.#int(1 << (head - 0xd0))
    if (head === 0xd3) return this.#int(4) * twoTo32 + this.#uint(4)
    if (head <= 0xdb) return this.#text(this.#uint(1 << (head - 0xd9)))
    const count = this.#uint(head % 2 === 0 ? 2 : 4)
    return head <= 0xdd ? this.#list(count) : this.#map(count)
  }

  #map(count: number): object {
    const map: Record<string, unknown> = {}
    for (let left = count; left > 0; left--) {
      const key = this.next() as string
      map[key] = this.next()
    }
    return map
  }

  #list(count: number): unknown[] {
    return Array.from({ length: count }, () => this.next())
  }

  #text(length: number): string {
    return decodeUtf8(toNative(this.#take(length)))
  }

  #take(length: number): Uint8Array {
    const from = this.#skip(length)
    return this.#bytes.subarray(from, this.#at)
  }

  #uint(length: number): number {
    const from = this.#skip(length)
    let value = 0
    for (let at = from; at < this.#at; at++) value = value * 256 + this.#view.getUint8(at)
    return value
  }

  #int(length: number): number {
    const value = this.#uint(length)
    return value >= 2 ** (8 * length - 1) ? value - 2 ** (8 * length) : value
  }

  /** Returns the position before. */
  #skip(length: number): number {
    const from = this.#at
    this.#at += length
    return from
  }
}
