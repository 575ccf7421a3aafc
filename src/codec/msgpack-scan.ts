/**
 * Scans the headers of a MessagePack value before it is decoded: the decoder trusts every length, so that five bytes can
 * make it allocate gigabytes. Source: the MessagePack specification, "Formats".
 */
import { decodeLatin1, isUtf8, toNative } from '../platform/bytes.ts'
import type { NativeBytes } from '../platform/platform.ts'
import { maxDepth, maxMessages, maxValues, tooMany } from './limits.ts'
import { malformed } from './malformed.ts'

const maxSafeHighWord = 0x1f_ffff

/**
 * Checks that the bytes are exactly one MessagePack value that is safe to decode.
 * @throws BlobwireError `resource_exhausted`, reason `message_too_large`, for too many values; `invalid_argument`, reason
 * `malformed`, for truncated or trailing bytes, more than 64 levels, duplicate or non-string keys, `__proto__`, bad UTF-8,
 * integers beyond 2^53 - 1 and extension types
 */
export function scanMessagePack(bytes: Uint8Array): void {
  new Scan(bytes).run()
}

/** An open map or array. */
interface Level {
  /** Values still to come; for a map, keys and values. */
  remaining: number
  /** Keys so far; undefined for an array. */
  readonly keys: string[] | undefined
}

class Scan {
  readonly #bytes: NativeBytes
  readonly #levels: Level[] = []
  #at = 0
  #values = 0
  #messages = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = toNative(bytes)
  }

  run(): void {
    this.#value()
    let level = this.#levels.at(-1)
    while (level !== undefined) {
      if (level.remaining === 0) this.#levels.pop()
      else {
        const isKey = level.keys !== undefined && level.remaining % 2 === 0
        level.remaining--
        if (isKey) this.#key(level.keys as string[])
        else this.#value()
      }
      level = this.#levels.at(-1)
    }
    if (this.#at !== this.#bytes.length) throw malformed(`${this.#bytes.length - this.#at} bytes follow the message`)
  }

  #value(): void {
    if (++this.#values > maxValues) throw tooMany('values')
    const head = this.#uint(1)
    if (head <= 0x7f || head >= 0xe0) return
    if (head <= 0x8f) return this.#open(head & 0x0f, true)
    if (head <= 0x9f) return this.#open(head & 0x0f, false)
    if (head <= 0xbf) return this.#text(head & 0x1f)
    switch (head) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#skip(this.#uint(1 << (head - 0xc4)))
      case 0xca:
        return this.#skip(4)
      case 0xcb:
        return this.#skip(8)
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#skip(1 << (head - 0xcc))
      case 0xcf:
        return this.#long(this.#uint(4))
      case 0xd0:
      case 0xd1:
      case 0xd2:
        return this.#skip(1 << (head - 0xd0))
      case 0xd3: {
        const high = this.#uint(4) | 0
        // Negative numbers down to -(2^53 - 1) are fine; their high word is at least -0x200000.
        return this.#long(high < 0 ? ~high : high)
      }
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(1 << (head - 0xd9)))
      case 0xdc:
      case 0xdd:
        return this.#open(this.#uint(head === 0xdc ? 2 : 4), false)
      case 0xde:
      case 0xdf:
        return this.#open(this.#uint(head === 0xde ? 2 : 4), true)
      default:
        throw malformed(`type 0x${head.toString(16)} at byte ${this.#at - 1} is not allowed`)
    }
  }

  #key(keys: string[]): void {
    const start = this.#at
    const head = this.#uint(1)
    const isText = (head >= 0xa0 && head <= 0xbf) || (head >= 0xd9 && head <= 0xdb)
    if (!isText) throw malformed(`the key at byte ${start} is not a string`)
    const length = head <= 0xbf ? head & 0x1f : this.#uint(1 << (head - 0xd9))
    const from = this.#at
    this.#text(length)
    const key = decodeLatin1(this.#bytes, from, this.#at)
    if (key === '__proto__') throw malformed('the key __proto__ is not allowed')
    if (keys.includes(key)) throw malformed(`the key at byte ${start} is repeated in its map`)
    // No message has as many fields; a linear search stays cheap.
    if (keys.length >= 64) throw malformed('more than 64 keys in one map')
    keys.push(key)
  }

  #open(count: number, isMap: boolean): void {
    if (isMap && ++this.#messages > maxMessages) throw tooMany('messages')
    const items = isMap ? count * 2 : count
    if (items > this.#bytes.length - this.#at)
      throw malformed(`${items} values are declared, more than the remaining bytes hold`)
    if (this.#levels.length >= maxDepth) throw malformed(`the message is nested deeper than ${maxDepth} levels`)
    this.#levels.push({ remaining: items, keys: isMap ? [] : undefined })
  }

  #text(length: number): void {
    const from = this.#at
    this.#skip(length)
    if (!isUtf8(this.#bytes.subarray(from, this.#at))) throw malformed(`the string at byte ${from} is not UTF-8`)
  }

  #long(highWord: number): void {
    if (highWord > maxSafeHighWord) throw malformed('an integer is beyond 2^53 - 1')
    this.#skip(4)
  }

  #uint(length: number): number {
    let at = this.#at
    this.#skip(length)
    let value = 0
    while (at < this.#at) value = value * 256 + (this.#bytes[at++] as number)
    return value
  }

  #skip(length: number): void {
    this.#at += length
    if (this.#at > this.#bytes.length) throw malformed('the message ends in the middle of a value')
  }
}
