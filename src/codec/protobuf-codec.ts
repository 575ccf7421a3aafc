/** The protobuf codec: the binary form of Connect, whose messages are those of gRPC. */
import type { Codec } from './codec.ts'
import { decodeProtobuf, encodeProtobuf } from './protobuf.ts'
import { protobufMessage } from './protobuf-fields.ts'
import { writeProtobuf } from './protobuf-write.ts'
import { toWire, toWireOperation } from './wire-object.ts'

/** Messages as protobuf (protobuf.dev, "Encoding"). */
export const protobufCodec: Codec<'proto'> = {
  name: 'proto',
  contentType: 'application/proto',

  encode: encodeProtobuf,

  prepare: (type, message) => toWire(type, message),

  long: (value) => value,

  prepareOperation: (type, request) => toWireOperation(type, request),

  write: (type, prepared, headroom) => [writeProtobuf(protobufMessage(type), prepared, headroom)],

  decode: decodeProtobuf
}
