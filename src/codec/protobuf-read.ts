/**
 * Reads protobuf (protobuf.dev, "Encoding") in one pass, checked against the schema, with defaults filled in. Of a field
 * that stands twice the last one counts, and messages are merged; unknown fields, and fields of another wire type, are
 * skipped. Values and messages are counted as they come, because an empty message has two bytes.
 */
import { FieldProblem } from '../core/field-problem.ts'
import { decodeLatin1, decodeUtf8, isUtf8, ownBytes, toNative } from '../platform/bytes.ts'
import type { NativeBytes } from '../platform/platform.ts'
import type { WireObject } from './codec.ts'
import { defaultOf, type IntegerKind, ranges } from './fields.ts'
import { maxDepth, maxMessages, maxValues, tooMany } from './limits.ts'
import { malformed } from './malformed.ts'
import { type ProtobufField, type ProtobufMessage, wireTypes } from './protobuf-fields.ts'

/** Up to this length, a text of ASCII is looked at byte by byte: two calls of native functions take longer. */
const shortText = 128

/**
 * The message in the bytes. Large `bytes`, and those of requests, may be views of the input.
 * @throws FieldProblem for a value that its field cannot hold; BlobwireError `invalid_argument`, reason `malformed`, for
 * bytes that are not protobuf; `resource_exhausted` for too many values
 */
export function readProtobuf(message: ProtobufMessage, bytes: Uint8Array): WireObject {
  return new Reader(toNative(bytes)).message(message, bytes.length)
}

class Reader {
  readonly #bytes: NativeBytes
  #at = 0
  #values = 0
  #messages = 0
  // The parts of the last number of more than one byte: 28 bits, 28 bits and 8 bits.
  #low = 0
  #middle = 0
  #high = 0

  constructor(bytes: NativeBytes) {
    this.#bytes = bytes
  }

  /** Reads a message up to `end`; into `earlier`, where the same field stood before. */
  message({ fields, byTag, isChoice }: ProtobufMessage, end: number, earlier?: WireObject): WireObject {
    if (++this.#messages > maxMessages) throw tooMany('messages')
    const message = earlier ?? {}
    /** The fields before this one are set. */
    let next = isChoice || earlier !== undefined ? fields.length : 0
    let chosen: ProtobufField | undefined
    let field: ProtobufField | undefined
    try {
      while (this.#at < end) {
        const tag = this.#tag()
        field = byTag[tag]
        if (field === undefined) {
          this.#skip(tag, end, 0)
          continue
        }
        const { index, name, others } = field
        for (; next <= index; next++) if (next < index) setDefault(message, fields[next] as ProtobufField)
        if (field.isRepeated) this.#items(field, tag, { message, end })
        else {
          if (others !== undefined) {
            if (earlier !== undefined || (chosen ?? field) !== field) for (const other of others) delete message[other]
            chosen = field
          }
          message[name] = this.#value(field, end, message[name])
        }
      }
    } catch (problem) {
      throw located(problem, field, message)
    }
    if (this.#at > end) throw malformed('the message ends in the middle of a field')
    for (; next < fields.length; next++) setDefault(message, fields[next] as ProtobufField)
    return message
  }

  /** Adds to a list what stands together: the items with this tag, or the numbers that are packed. */
  #items(field: ProtobufField, tag: number, { message, end }: { message: WireObject; end: number }): void {
    const { name } = field
    message[name] ??= []
    const items = message[name] as unknown[]
    if (field.isPacked && tag === field.tag) {
      const packedEnd = this.#end(end)
      while (this.#at < packedEnd) {
        if (++this.#values > maxValues) throw tooMany('values')
        items.push(this.#value(field, packedEnd, undefined))
      }
      if (this.#at > packedEnd) throw malformed(`the last number of ${name} has no end`)
      return
    }
    items.push(this.#value(field, end, undefined))
    while (this.#at < end && this.#bytes[this.#at] === tag) {
      this.#at++
      if (++this.#values > maxValues) throw tooMany('values')
      items.push(this.#value(field, end, undefined))
    }
  }

  #value({ kind, message, isShared }: ProtobufField, end: number, earlier: unknown): unknown {
    switch (kind) {
      case 'message':
        return this.message(message as ProtobufMessage, this.#end(end), earlier as WireObject | undefined)
      case 'string':
        return this.#text(this.#end(end))
      case 'bytes': {
        const to = this.#end(end)
        const view = new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, to - this.#at)
        this.#at = to
        return isShared ? view : ownBytes(view)
      }
      default: {
        const byte = this.#bytes[this.#at] as number
        if (byte < 0x80) this.#at++
        else this.#varint()
        if (kind === 'bool') return byte < 0x80 ? byte !== 0 : (this.#low | this.#middle | this.#high) !== 0
        return byte < 0x80 ? byte : this.#number(kind)
      }
    }
  }

  /** The number that `#varint` read. Of a 32-bit type, the low bits count; safe integers of a 64-bit one are exact. */
  #number(kind: IntegerKind): number {
    if (kind === 'uint32') return (this.#low | (this.#middle << 28)) >>> 0
    if (kind === 'int32') return this.#low | (this.#middle << 28)
    let [low, middle, high] = [this.#low, this.#middle, this.#high]
    // Two's complement.
    const isNegative = kind === 'int64' && high >= 0x80
    if (isNegative) [low, middle, high] = [~low & 0xfff_ffff, ~middle & 0xfff_ffff, ~high & 0xff]
    const size = middle * 2 ** 28 + low + (isNegative ? 1 : 0)
    const [least, most] = ranges[kind]
    if (high !== 0 || size > most) throw new FieldProblem(`must be an integer from ${least} to ${most}`)
    return isNegative ? -size : size
  }

  #text(to: number): string {
    const bytes = this.#bytes
    const from = this.#at
    this.#at = to
    let isAscii = to - from <= shortText
    for (let at = from; isAscii && at < to; at++) isAscii = (bytes[at] as number) < 0x80
    if (isAscii) return decodeLatin1(bytes, from, to)
    if (!isUtf8(bytes.subarray(from, to))) throw new FieldProblem('must be UTF-8', { reason: 'malformed' })
    return decodeUtf8(bytes, from, to)
  }

  #tag(): number {
    if (++this.#values > maxValues) throw tooMany('values')
    const tag = this.#uint32()
    if (tag < 8) throw malformed(`there is no field 0, before byte ${this.#at}`)
    return tag
  }

  /** Reads a length, and returns where the field ends. */
  #end(end: number): number {
    const length = this.#uint32()
    const to = this.#at + length
    if (to > end) throw malformed(`a field of ${length} bytes ends behind its message`)
    return to
  }

  /** A tag or a length, which has five bytes at most. Behind the end of the input, bytes count as zeros. */
  #uint32(): number {
    const byte = this.#bytes[this.#at++] as number
    if (byte < 0x80) return byte
    this.#at--
    const from = this.#at
    this.#varint()
    const value = this.#middle * 2 ** 28 + this.#low
    if (this.#at - from > 5 || value > 0xffff_ffff) throw malformed(`the number before byte ${this.#at} is too large`)
    return value
  }

  #varint(): void {
    this.#low = 0
    this.#middle = 0
    this.#high = 0
    for (let place = 0; place < 10; place++) {
      const byte = this.#bytes[this.#at++] ?? 0
      const bits = byte & 0x7f
      if (place < 4) this.#low |= bits << (7 * place)
      else if (place < 8) this.#middle |= bits << (7 * (place - 4))
      else this.#high = (this.#high | (bits << (7 * (place - 8)))) & 0xff
      if (byte < 0x80) return
    }
    throw malformed(`the number before byte ${this.#at} has no end`)
  }

  #skip(tag: number, end: number, depth: number): void {
    switch (tag & 7) {
      case wireTypes.varint:
        this.#varint()
        break
      case wireTypes.fixed64:
        this.#at += 8
        break
      case wireTypes.length:
        this.#at = this.#end(end)
        break
      case wireTypes.groupStart:
        this.#skipGroup(tag, end, depth + 1)
        break
      case wireTypes.fixed32:
        this.#at += 4
        break
      default:
        throw malformed(`wire type ${tag & 7} before byte ${this.#at} is not allowed`)
    }
  }

  /** Groups are not part of proto3, but of unknown fields they may be. */
  #skipGroup(tag: number, end: number, depth: number): void {
    if (depth > maxDepth) throw malformed(`the message is nested deeper than ${maxDepth} levels`)
    while (this.#at < end) {
      const inner = this.#tag()
      // The tag of the end has the same number, and the next wire type.
      if (inner === tag + 1) return
      this.#skip(inner, end, depth)
    }
    throw malformed('a group does not end')
  }
}

function setDefault(message: WireObject, field: ProtobufField): void {
  if (field.isRepeated) message[field.name] = []
  else if (field.others === undefined && field.kind !== 'message') message[field.name] = defaultOf(field)
}

/** Adds the field, and the place in its list, to the path of a problem. */
function located(problem: unknown, field: ProtobufField | undefined, message: WireObject): unknown {
  if (!(problem instanceof FieldProblem) || field === undefined) return problem
  const { name, isRepeated } = field
  return problem.within(isRepeated ? `${name}[${(message[name] as unknown[]).length}]` : name)
}
