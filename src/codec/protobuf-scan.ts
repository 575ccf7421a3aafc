/**
 * Scans protobuf before it is decoded: the decoder makes an object of every two bytes. Only the fields that the schema
 * calls messages are descended into. Source: protobuf.dev, "Encoding".
 */
import type { Field, MessageName } from '../schema/descriptor.ts'
import { messageDescriptors } from '../schema/descriptors.ts'
import { maxDepth, maxMessages, maxValues, tooMany } from './limits.ts'
import { malformed } from './malformed.ts'

/** A field with a length that holds more than one value: a message, or numbers that are packed. */
interface Container {
  /** The containers of a message by number of the field; undefined for packed numbers. */
  readonly fields: (Container | undefined)[] | undefined
}

const packed: Container = { fields: undefined }
const containers = new Map<MessageName, Container & { readonly fields: (Container | undefined)[] }>()
for (const type of Object.keys(messageDescriptors) as MessageName[]) containers.set(type, { fields: [] })
// Messages refer to each other, so all of them have to exist first.
for (const [type, { fields }] of containers) {
  for (const field of messageDescriptors[type]) fields[field.number] = containerOf(field)
}

function containerOf(field: Field): Container | undefined {
  if (field.kind === 'message') return containers.get(field.type)
  return field.repeated && field.kind !== 'string' && field.kind !== 'bytes' ? packed : undefined
}

/** A message within the message takes two bytes at least and a value one, so that fewer bytes are within the limits. */
const harmlessBytes = Math.min(2 * maxMessages - 1, maxValues)

/**
 * Checks that a message is safe to decode. A short message is: its length bounds its values, the schema its depth.
 * @throws BlobwireError `resource_exhausted`, reason `message_too_large`, for too many values; `invalid_argument`, reason
 * `malformed`, for lengths past the end, groups, which the schema has none of, and unknown wire types
 */
export function scanProtobuf(type: MessageName, bytes: Uint8Array): void {
  if (bytes.length > harmlessBytes) new Scan(bytes).message(containers.get(type) as Container, bytes.length, 1)
}

class Scan {
  readonly #bytes: Uint8Array
  #at = 0
  #values = 0
  #messages = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  message({ fields }: Container, end: number, depth: number): void {
    if (fields === undefined) return this.#packed(end)
    if (++this.#messages > maxMessages) throw tooMany('messages')
    if (depth > maxDepth) throw malformed(`the message is nested deeper than ${maxDepth} levels`)
    while (this.#at < end) {
      if (++this.#values > maxValues) throw tooMany('values')
      const tag = this.#varint()
      switch (tag & 7) {
        case 0:
          this.#varint()
          break
        case 1:
          this.#at += 8
          break
        case 2: {
          const length = this.#varint()
          const next = this.#at + length
          if (next > end) throw malformed(`a field of ${length} bytes ends behind its message`)
          const container = fields[tag >>> 3]
          if (container === undefined) this.#at = next
          else this.message(container, next, depth + 1)
          break
        }
        case 5:
          this.#at += 4
          break
        default:
          throw malformed(`wire type ${tag & 7} before byte ${this.#at} is not allowed`)
      }
    }
    if (this.#at > end) throw malformed('the message ends in the middle of a field')
  }

  /** Each number ends with its first byte below 0x80. */
  #packed(end: number): void {
    for (; this.#at < end; this.#at++) {
      if ((this.#bytes[this.#at] as number) < 0x80 && ++this.#values > maxValues) throw tooMany('values')
    }
  }

  /** Exact up to 2^53; a longer one is no tag and no length that fits. */
  #varint(): number {
    let byte = this.#bytes[this.#at++] as number
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    for (let scale = 0x80; scale < 2 ** 70; scale *= 0x80) {
      // Behind the end, a byte is undefined, and the message ends in the middle of a field.
      byte = this.#bytes[this.#at++] ?? 0
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw malformed(`the number before byte ${this.#at} has no end`)
  }
}
