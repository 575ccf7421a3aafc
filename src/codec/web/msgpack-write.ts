/** Writes MessagePack, each value in its shortest form. Source: the MessagePack specification, "Formats". */
import { allocate, utf8Length, writeUtf8 } from '../../platform/bytes.ts'
import type { NativeBytes } from '../../platform/platform.ts'

/** Most bytes of a number, or of the header of another value. */
const headerBytes = 9

/** The bytes of a wire object, which begin with `headroom` bytes for the caller to fill in. */
export function writeMessagePack(value: unknown, headroom = 0): Uint8Array {
  const bytes = allocate(headroom + sizeOf(value))
  return bytes.subarray(0, new Writer(bytes, headroom).write(value))
}

/** An upper bound of the bytes of a value. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return headerBytes + utf8Length(value)
  if (value instanceof Uint8Array) return headerBytes + value.length
  if (typeof value !== 'object' || value === null) return headerBytes
  const held: unknown[] = Array.isArray(value) ? value : Object.entries(value).flat()
  return held.reduce<number>((sum, item) => sum + sizeOf(item), headerBytes)
}

class Writer {
  readonly #bytes: NativeBytes
  #at: number

  constructor(bytes: NativeBytes, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  /** Returns the end of the value. */
  write(value: unknown): number {
    if (typeof value === 'string') {
      const length = utf8Length(value)
      if (length <= 31) this.#head(0xa0 | length, 0, 0)
      else this.#sized(0xd9, length, [0xff, 0xffff])
      this.#at += writeUtf8(this.#bytes, value, this.#at)
    } else if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'boolean') this.#head(value ? 0xc3 : 0xc2, 0, 0)
    else if (value instanceof Uint8Array) {
      this.#sized(0xc4, value.length, [0xff, 0xffff])
      this.#bytes.set(value, this.#at)
      this.#at += value.length
    } else if (Array.isArray(value)) {
      this.#count(0x90, 0xdc, value.length)
      for (const item of value) this.write(item)
    } else {
      const entries = Object.entries(value as object)
      this.#count(0x80, 0xde, entries.length)
      for (const entry of entries) for (const one of entry) this.write(one)
    }
    return this.#at
  }

  #number(value: number): void {
    if (value >= -0x20 && value <= 0x7f) this.#head(value & 0xff, 0, 0)
    else if (value >= 0) this.#sized(0xcc, value, [0xff, 0xffff, 0xffff_ffff])
    else this.#sized(0xd0, value, [0x7f, 0x7fff, 0x7fff_ffff])
  }

  /** A number in one, two, four or eight bytes: the type, or one of the next three; `most` fits the first ones. */
  #sized(type: number, value: number, most: readonly number[]): void {
    const magnitude = value < 0 ? -1 - value : value
    const width = most.filter((one) => magnitude > one).length
    this.#head(type + width, value, 1 << width)
  }

  #count(short: number, type: number, count: number): void {
    if (count <= 15) this.#head(short | count, 0, 0)
    else if (count <= 0xffff) this.#head(type, count, 2)
    else this.#head(type + 1, count, 4)
  }

  /** The type, and a number in so many bytes. */
  #head(type: number, value: number, length: number): void {
    this.#bytes[this.#at] = type
    let rest = value
    for (let place = length; place > 0; place--) {
      this.#bytes[this.#at + place] = rest
      rest = Math.floor(rest / 256)
    }
    this.#at += 1 + length
  }
}
