/** Reads any MessagePack value with string keys, and trusts no length. Source: the MessagePack specification, "Formats". */
import { decodeUtf8, isUtf8, toNative } from '../../platform/bytes.ts'
import { maxDepth, maxMessages, maxValues, tooMany } from '../limits.ts'
import { malformed } from '../malformed.ts'

/**
 * The value of the bytes.
 * @throws BlobwireError `resource_exhausted`, reason `message_too_large`, for too many values; `invalid_argument`, reason
 * `malformed`, for truncated or trailing bytes, too many levels, duplicate or non-string keys, `__proto__`, bad UTF-8,
 * integers beyond 2^53 - 1 and extension types
 */
export function readMessagePack(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes)
  const value = reader.next(0)
  if (reader.left > 0) throw malformed(`${reader.left} bytes follow the message`)
  return value
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0
  #values = 0
  #messages = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  next(depth: number): unknown {
    if (++this.#values > maxValues) throw tooMany('values')
    if (depth > maxDepth) throw malformed(`the message is nested deeper than ${maxDepth} levels`)
    const head = this.#uint(1)
    if (head <= 0x7f) return head
    if (head <= 0x8f) return this.#map(head & 0x0f, depth)
    if (head <= 0x9f) return this.#list(head & 0x0f, depth)
    if (head <= 0xbf) return this.#text(head & 0x1f)
    if (head >= 0xe0) return head - 0x100
    if (head === 0xc1 || (head >= 0xc7 && head <= 0xc9) || (head >= 0xd4 && head <= 0xd8))
      throw malformed(`type 0x${head.toString(16)} at byte ${this.#at - 1} is not allowed`)
    if (head <= 0xc3) return head === 0xc0 ? null : head === 0xc3
    if (head <= 0xc6) return this.#take(this.#uint(1 << (head - 0xc4)))
    if (head === 0xca) return this.#view.getFloat32(this.#skip(4))
    if (head === 0xcb) return this.#view.getFloat64(this.#skip(8))
    if (head <= 0xcf) return safe(this.#uint(1 << (head - 0xcc)))
    if (head <= 0xd2) return this.#int(1 << (head - 0xd0))
    if (head === 0xd3) return safe(this.#int(4) * 2 ** 32 + this.#uint(4))
    if (head <= 0xdb) return this.#text(this.#uint(1 << (head - 0xd9)))
    const count = this.#uint(head % 2 === 0 ? 2 : 4)
    return head <= 0xdd ? this.#list(count, depth) : this.#map(count, depth)
  }

  #map(count: number, depth: number): object {
    if (++this.#messages > maxMessages) throw tooMany('messages')
    // No message has as many fields.
    if (count > 64) throw malformed('more than 64 keys in one map')
    const map: Record<string, unknown> = {}
    // Keys are no values.
    this.#values -= count
    for (let left = count; left > 0; left--) {
      const start = this.#at
      const key = this.next(maxDepth)
      if (typeof key !== 'string' || key === '__proto__' || Object.hasOwn(map, key))
        throw malformed(`the key at byte ${start} is repeated in its map, or not allowed`)
      map[key] = this.next(depth + 1)
    }
    return map
  }

  #list(count: number, depth: number): unknown[] {
    if (count > this.left) throw malformed(`${count} values are declared, more than the remaining bytes hold`)
    return Array.from({ length: count }, () => this.next(depth + 1))
  }

  #text(length: number): string {
    const bytes = this.#take(length)
    if (!isUtf8(bytes)) throw malformed(`the string at byte ${this.#at - length} is not UTF-8`)
    return decodeUtf8(toNative(bytes))
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
    if (length > this.left) throw malformed('the message is cut off')
    this.#at += length
    return from
  }
}

function safe(integer: number): number {
  if (!Number.isSafeInteger(integer)) throw malformed('an integer is beyond 2^53 - 1')
  return integer
}
