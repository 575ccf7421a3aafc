/** Protobuf messages with large content, which is not copied: fields stand in any order, and the content is the last one. */
import { allocate, concat } from '../platform/bytes.ts'
import type { Init, MessageName } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { encodeProtobuf } from './protobuf.ts'
import { type ProtobufField, protobufMessage } from './protobuf-fields.ts'

/** The bytes of a message up to its last field, a `bytes` field whose content of `length` bytes follows. */
export function encodeProtobufHead<Name extends MessageName>(
  type: Name,
  message: Init<Messages[Name]>,
  last: { readonly field: string & keyof Messages[Name]; readonly length: number }
): Uint8Array {
  const { tag } = protobufMessage(type).byName.get(last.field) as ProtobufField
  return concat([encodeProtobuf(type, message), varint(tag), varint(last.length)])
}

/** A number as a varint (protobuf.dev, "Encoding"). */
export function varint(value: number): Uint8Array {
  const bytes = allocate(8)
  let at = 0
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80
  bytes[at++] = rest
  return bytes.subarray(0, at)
}
