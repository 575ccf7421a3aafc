/**
 * The fast reader of MessagePack: decodes and checks a message in one pass, where its fields are in the order of the
 * schema and have the right types. For other messages (unknown fields, another order, a wrong type, damage) it gives up,
 * and msgpack.ts takes the complete reader, which is four times as slow and reports the error.
 */
import { decodeLatin1, decodeUtf8, encodeUtf8, isUtf8, ownBytes, toNative } from '../platform/bytes.ts'
import type { NativeBytes } from '../platform/platform.ts'
import type { Field, MessageName, ScalarKind } from '../schema/descriptor.ts'
import { messageDescriptors } from '../schema/descriptors.ts'
import type { WireObject } from './codec.ts'
import { defaultOf, isOfRequest } from './fields.ts'
import { maxMessages, maxValues } from './limits.ts'

/** A field, with the bytes of its key. */
interface FieldDecoder {
  readonly name: string
  readonly key: Uint8Array
  readonly repeated: boolean
  readonly oneof: string | undefined
  readonly kind: ScalarKind | 'message'
  /** The bytes may be a view of the input. */
  readonly isShared: boolean
  /** Texts of a field that come again and again: comparing bytes is cheaper than decoding them. */
  readonly texts: RepeatedTexts | undefined
  /** Undefined for a scalar. */
  readonly decoder: MessageDecoder | undefined
}

/** Decodes the fields of one message. */
interface MessageDecoder {
  readonly fields: FieldDecoder[]
  /** All fields belong to a oneof, so that absent ones have no defaults. */
  readonly isChoice: boolean
}

/** Fields of which frame after frame has the same texts. */
const repeating: ReadonlySet<string> = new Set(['Header.name', 'SessionBatch.repository'])
/** Texts that are kept of a field, each in the one place where its length and last bytes point. */
const maxTexts = 256

type RepeatedTexts = ({ readonly bytes: Uint8Array; readonly text: string } | undefined)[]

const decoders = new Map<MessageName, MessageDecoder>()
for (const type of Object.keys(messageDescriptors) as MessageName[]) {
  decoders.set(type, { fields: [], isChoice: messageDescriptors[type].every(({ oneof }) => oneof !== undefined) })
}
// Field decoders refer to message decoders, so all of those have to exist first.
for (const [type, decoder] of decoders)
  decoder.fields.push(...messageDescriptors[type].map((field) => fieldDecoder(type, field)))

function fieldDecoder(type: MessageName, field: Field): FieldDecoder {
  const { name, kind, repeated = false, oneof } = field
  const key = Uint8Array.of(0xa0 | name.length, ...encodeUtf8(name))
  const decoder = kind === 'message' ? decoders.get(field.type) : undefined
  const texts: RepeatedTexts | undefined = repeating.has(`${type}.${name}`) ? new Array(maxTexts) : undefined
  return { name, key, repeated, oneof, kind, isShared: isOfRequest(field), texts, decoder }
}

/** Thrown inside this file to give up. */
const unusual = new Error('left to the complete reader')

/** The message; undefined = the complete reader has to decode it. Large `bytes`, and those of requests, may be views of the input. */
export function readMessagePack(type: MessageName, bytes: Uint8Array): WireObject | undefined {
  const reader = new Reader(toNative(bytes))
  try {
    const message = reader.message(decoders.get(type) as MessageDecoder)
    return reader.atEnd ? message : undefined
  } catch (error) {
    if (error === unusual || error instanceof RangeError) return undefined
    throw error
  }
}

class Reader {
  readonly #bytes: NativeBytes
  #at = 0
  #values = 0
  #messages = 0

  constructor(bytes: NativeBytes) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  message({ fields, isChoice }: MessageDecoder): WireObject {
    // Behind the end, a byte is undefined and a length NaN, for which all comparisons are false.
    let remaining = (this.#bytes[this.#at++] as number) - 0x80
    if (!(remaining >= 0 && remaining <= 15)) throw unusual
    this.#values += remaining
    if (++this.#messages > maxMessages || this.#values > maxValues) throw unusual
    const message: WireObject = {}
    let chosen: string | undefined
    for (let index = 0; index < fields.length; index++) {
      if (isChoice && remaining === 0) break
      const decoder = fields[index] as FieldDecoder
      if (remaining > 0 && this.#bytes[this.#at] === decoder.key[0] && this.#takeKey(decoder.key)) {
        remaining--
        if (decoder.oneof !== undefined) {
          if (chosen === decoder.oneof) throw unusual
          chosen = decoder.oneof
        }
        message[decoder.name] = decoder.repeated ? this.#list(decoder) : this.#value(decoder)
      } else if (decoder.repeated) message[decoder.name] = []
      else if (decoder.oneof === undefined && decoder.kind !== 'message') message[decoder.name] = defaultOf(decoder)
    }
    if (remaining > 0) throw unusual
    return message
  }

  #takeKey(key: Uint8Array): boolean {
    const { length } = key
    for (let place = 0; place < length; place++) if (this.#bytes[this.#at + place] !== key[place]) return false
    this.#at += length
    return true
  }

  #list(decoder: FieldDecoder): unknown[] {
    const head = this.#bytes[this.#at++] as number
    let count = head - 0x90
    if (head === 0xdc) count = this.#uint(2)
    else if (head === 0xdd) count = this.#uint(4)
    else if (!(count >= 0 && count <= 15)) throw unusual
    this.#values += count
    // Lists in lists could each claim all bytes that are left.
    if (count > this.#bytes.length - this.#at || this.#values > maxValues) throw unusual
    const items = new Array(count)
    for (let index = 0; index < count; index++) items[index] = this.#value(decoder)
    return items
  }

  #value({ kind, decoder, isShared, texts }: FieldDecoder): unknown {
    switch (kind) {
      case 'message':
        return this.message(decoder as MessageDecoder)
      case 'string':
        return texts === undefined ? this.#text() : this.#repeatedText(texts)
      case 'bytes':
        return this.#binary(isShared)
      case 'bool': {
        const head = this.#bytes[this.#at++]
        if (head !== 0xc2 && head !== 0xc3) throw unusual
        return head === 0xc3
      }
      default:
        return this.#integer(kind)
    }
  }

  #repeatedText(texts: RepeatedTexts): string {
    const from = this.#at
    const head = this.#bytes[from] as number
    // Only short texts, of which the first byte tells the length.
    if (!(head > 0xa0 && head <= 0xbf)) return this.#text()
    const end = from + 1 + (head - 0xa0)
    const place = ((this.#bytes[end - 1] as number) + (this.#bytes[end - 2] as number) * 31 + head) % maxTexts
    const known = texts[place]
    if (known !== undefined && known.bytes[0] === head && this.#takeKey(known.bytes)) return known.text
    const text = this.#text()
    texts[place] = { bytes: new Uint8Array(this.#bytes.subarray(from, this.#at)), text }
    return text
  }

  #text(): string {
    const head = this.#bytes[this.#at++] as number
    let length = head - 0xa0
    if (head === 0xd9) length = this.#uint(1)
    else if (head === 0xda) length = this.#uint(2)
    else if (head === 0xdb) length = this.#uint(4)
    else if (!(length >= 0 && length <= 31)) throw unusual
    const from = this.#skip(length)
    for (let at = from; at < this.#at; at++) {
      if ((this.#bytes[at] as number) < 0x80) continue
      if (!isUtf8(this.#bytes.subarray(from, this.#at))) throw unusual
      return decodeUtf8(this.#bytes, from, this.#at)
    }
    return decodeLatin1(this.#bytes, from, this.#at)
  }

  #binary(isShared: boolean): Uint8Array {
    const head = this.#bytes[this.#at++] as number
    if (!(head >= 0xc4 && head <= 0xc6)) throw unusual
    const length = this.#uint(1 << (head - 0xc4))
    const from = this.#skip(length)
    const view = new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + from, length)
    return isShared ? view : ownBytes(view)
  }

  /** Negative numbers are left to the careful reader: only dates before 1970 are. */
  #integer(kind: string): number {
    const head = this.#bytes[this.#at++] as number
    if (head <= 0x7f) return head
    if (!(head >= 0xcc && head <= 0xce)) throw unusual
    const value = this.#uint(1 << (head - 0xcc))
    if (kind === 'int32' && value > 0x7fff_ffff) throw unusual
    return value
  }

  #uint(length: number): number {
    let at = this.#skip(length)
    let value = 0
    while (at < this.#at) value = value * 256 + (this.#bytes[at++] as number)
    return value
  }

  /** Returns the position of the skipped bytes. */
  #skip(length: number): number {
    const from = this.#at
    this.#at += length
    if (this.#at > this.#bytes.length) throw unusual
    return from
  }
}
