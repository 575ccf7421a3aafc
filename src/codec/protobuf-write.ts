/**
 * Writes prepared messages as protobuf (protobuf.dev, "Encoding"), fields in the order of their numbers. The writer goes
 * from the end to the beginning, so that the length of a message is known when it is due: there is one pass, and nothing
 * is moved. Whatever is present is written; defaults are left out before (wire-object.ts).
 */
import { allocate, utf8Length, writeUtf8 } from '../platform/bytes.ts'
import type { NativeBytes } from '../platform/platform.ts'
import type { WireObject } from './codec.ts'
import type { ProtobufField, ProtobufMessage } from './protobuf-fields.ts'

/** Messages are written into buffers of this size, many into one. */
const slabBytes = 64 * 1024
/** Room below which a slab is not begun with. */
const leastRoom = 4 * 1024
/** Up to this number of characters, writing them one by one is faster than two calls of native functions. */
const shortText = 64
/** Most bytes of a tag and a number, or a tag and a length. */
const headBytes = 20

/** The bytes of a message, behind `headroom` bytes for the caller to fill in. */
export function writeProtobuf(message: ProtobufMessage, wire: WireObject, headroom = 0): NativeBytes {
  return writer.write(message, wire, headroom)
}

class Writer {
  #bytes = allocate(0)
  /** The bytes from here to the end of the message are written. */
  #at = 0
  #end = 0
  /** The whole message; undefined once the buffer has room for all contents in it. */
  #whole: WireObject | undefined

  write(message: ProtobufMessage, wire: WireObject, headroom: number): NativeBytes {
    if (this.#at < leastRoom) {
      this.#bytes = allocate(slabBytes)
      this.#at = slabBytes
    }
    const slab = this.#bytes
    const free = this.#at
    this.#end = free
    this.#whole = wire
    this.#message(message, wire)
    if (headroom > 0) this.#reserve(headroom)
    this.#at -= headroom
    this.#whole = undefined
    const written = this.#bytes.subarray(this.#at, this.#end)
    // A buffer that had to be made for one message holds nothing else.
    if (this.#bytes.length > slabBytes) {
      this.#bytes = slab
      this.#at = free
    }
    return written as NativeBytes
  }

  #message({ fields, byName, isChoice }: ProtobufMessage, wire: WireObject): void {
    if (isChoice) {
      for (const name in wire) {
        const field = byName.get(name)
        if (field !== undefined) this.#field(field, wire[name])
      }
      return
    }
    for (let index = fields.length - 1; index >= 0; index--) {
      const field = fields[index] as ProtobufField
      const value = wire[field.name]
      if (value !== undefined) this.#field(field, value)
    }
  }

  #field(field: ProtobufField, value: unknown): void {
    if (!field.isRepeated) this.#value(field, value)
    else if (field.isPacked) this.#packed(field, value as number[])
    else {
      const items = value as readonly unknown[]
      for (let index = items.length - 1; index >= 0; index--) this.#value(field, items[index])
    }
  }

  #packed({ tag }: ProtobufField, numbers: readonly number[]): void {
    if (numbers.length === 0) return
    const end = this.#written
    for (let index = numbers.length - 1; index >= 0; index--) {
      this.#reserve(headBytes)
      this.#varint(numbers[index] as number)
    }
    this.#head(tag, this.#written - end)
  }

  #value({ kind, tag, message }: ProtobufField, value: unknown): void {
    switch (kind) {
      case 'message': {
        const end = this.#written
        this.#message(message as ProtobufMessage, value as WireObject)
        this.#head(tag, this.#written - end)
        return
      }
      case 'string':
        this.#head(tag, this.#text(value as string))
        return
      case 'bytes': {
        const { length } = value as Uint8Array
        this.#reserve(length)
        this.#at -= length
        this.#bytes.set(value as Uint8Array, this.#at)
        this.#head(tag, length)
        return
      }
      default:
        this.#reserve(headBytes)
        this.#varint(Number(value))
        this.#varint(tag)
    }
  }

  /** Returns the number of bytes. */
  #text(text: string): number {
    const { length } = text
    if (length <= shortText) {
      this.#reserve(length)
      const bytes = this.#bytes
      let at = this.#at
      let index = length - 1
      for (; index >= 0; index--) {
        const code = text.charCodeAt(index)
        if (code >= 0x80) break
        bytes[--at] = code
      }
      if (index < 0) {
        this.#at = at
        return length
      }
    }
    const size = utf8Length(text)
    this.#reserve(size)
    this.#at -= size
    writeUtf8(this.#bytes, text, this.#at)
    return size
  }

  #head(tag: number, length: number): void {
    this.#reserve(headBytes)
    this.#varint(length)
    this.#varint(tag)
  }

  #varint(value: number): void {
    const bytes = this.#bytes
    if (value >= 0 && value < 0x80) bytes[--this.#at] = value
    else if (value < 0) this.#negative(value)
    else {
      let at = this.#at - lengthOf(value)
      const end = this.#at - 1
      this.#at = at
      let rest = value
      for (; at < end; at++, rest = Math.floor(rest / 0x80)) bytes[at] = (rest % 0x80) | 0x80
      bytes[at] = rest
    }
  }

  /** Two's complement of 64 bits, in ten bytes. */
  #negative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value))
    const end = this.#at - 1
    this.#at -= 10
    for (let at = this.#at; at < end; at++, rest >>= 7n) this.#bytes[at] = Number(rest & 0x7fn) | 0x80
    this.#bytes[end] = Number(rest)
  }

  /** Bytes written so far, wherever the buffer is. */
  get #written(): number {
    return this.#end - this.#at
  }

  /** Makes room for so many bytes, in a larger buffer if need be. */
  #reserve(length: number): void {
    if (this.#at >= length) return
    const written = this.#written
    // Contents are known before all of them are written: a buffer of their length is filled once.
    const contents = this.#whole === undefined ? written : contentBytes(this.#whole)
    this.#whole = undefined
    const larger = allocate(written + Math.max(contents, length) + slabBytes)
    larger.set(this.#bytes.subarray(this.#at, this.#end), larger.length - written)
    this.#bytes = larger
    this.#end = larger.length
    this.#at = larger.length - written
  }
}

/** Everything is written synchronously, so that one writer serves all. */
const writer = new Writer()

/** Bytes of all contents in a value. */
function contentBytes(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  if (value instanceof Uint8Array) return value.length
  let bytes = 0
  if (Array.isArray(value)) for (const item of value) bytes += contentBytes(item)
  else for (const name in value) bytes += contentBytes((value as WireObject)[name])
  return bytes
}

function lengthOf(value: number): number {
  let length = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++
  return length
}
