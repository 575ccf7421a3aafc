/** In the place of `codec/protobuf-decode.ts`: only the details of errors come as protobuf here, so that few bytes read it. */
import { decodeUtf8, toNative } from '../../platform/bytes.ts'
import type { Field, MessageName } from '../../schema/descriptor.ts'
import { messageDescriptors } from '../../schema/descriptors.ts'
import type { WireObject } from '../codec.ts'
import { malformed } from '../malformed.ts'
import type * as Replaced from '../protobuf-decode.ts'
import { fromWire } from '../wire-object.ts'

/** Of messages without negative numbers, lists of numbers and messages in two pieces; others are malformed. */
export const decodeProtobuf: typeof Replaced.decodeProtobuf = (type, bytes) => fromWire(type, read(type, bytes))

function read(type: MessageName, bytes: Uint8Array): WireObject {
  const message: WireObject = {}
  let at = 0
  const readNumber = () => {
    let number = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++] ?? 0
      number += (byte % 128) * factor
      if (byte < 128) return number
    }
  }
  while (at < bytes.length) {
    const tag = readNumber()
    const field = messageDescriptors[type].find(({ number }) => number === Math.floor(tag / 8))
    const wireType = tag % 8
    const length = wireType === 0 || wireType === 2 ? readNumber() : wireType === 5 ? 4 : 8
    let value: unknown = length
    if (wireType !== 0) {
      value = bytes.subarray(at, at + length)
      at += length
    }
    if (at > bytes.length) throw malformed('the message is cut off')
    if (field === undefined) continue
    const found = fieldValue(field, value)
    if (field.repeated) message[field.name] = [...((message[field.name] as unknown[] | undefined) ?? []), found]
    else message[field.name] = found
  }
  return message
}

function fieldValue(field: Field, value: unknown): unknown {
  if (field.kind === 'bool') return value === 1
  if (!(value instanceof Uint8Array)) return value
  if (field.kind === 'message') return read(field.type, value)
  return field.kind === 'string' ? decodeUtf8(toNative(value)) : value
}
