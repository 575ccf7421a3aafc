/** The protobuf codec: the binary form of Connect, whose messages are those of gRPC. */
import { concat } from '../platform/bytes.ts'
import type { MessageName } from '../schema/descriptor.ts'
import type { Codec, WireObject } from './codec.ts'
import { decodeProtobuf, encodeProtobuf } from './protobuf.ts'
import { type ProtobufField, protobufMessage } from './protobuf-fields.ts'
import { varint } from './protobuf-tail.ts'
import { writeProtobuf } from './protobuf-write.ts'
import { toWire, toWireOperation } from './wire-object.ts'

/** Shorter chunks of blobs are copied into their message. */
const pieceBytes = 1024

/** A chunk comes last, as it is: to copy it takes longer than to hash it. */
function writePieces(type: MessageName, prepared: WireObject, headroom: number): Uint8Array[] {
  const message = protobufMessage(type)
  const { chunk } = prepared
  if (!(chunk instanceof Uint8Array) || chunk.length < pieceBytes) return [writeProtobuf(message, prepared, headroom)]
  const head = writeProtobuf(message, { ...prepared, chunk: undefined }, headroom)
  const { tag } = message.byName.get('chunk') as ProtobufField
  return [concat([head, varint(tag), varint(chunk.length)]), chunk]
}

/** Messages as protobuf (protobuf.dev, "Encoding"). */
export const protobufCodec: Codec<'proto'> = {
  name: 'proto',
  contentType: 'application/proto',

  encode: encodeProtobuf,

  prepare: (type, message) => toWire(type, message),

  long: (value) => value,

  prepareOperation: (type, request) => toWireOperation(type, request),

  write: writePieces,

  decode: decodeProtobuf
}
