import { Decoder } from '@msgpack/msgpack'
import type { Messages } from '../schema/messages.ts'
import type { ShapeName } from '../schema/shape.ts'
import type { Codec } from './codec.ts'
import { malformed } from './malformed.ts'
import { readMessagePack } from './msgpack-read.ts'
import { scanMessagePack } from './msgpack-scan.ts'
import { writeMessagePack, writeMessagePackParts } from './msgpack-write.ts'
import { checkMessage, pruneMessage, pruneOperation } from './shape-check.ts'

const decoder = new Decoder()

/** Messages as MessagePack maps with the field names of the JSON form; bytes are `bin`. */
export const msgpackCodec: Codec = {
  name: 'msgpack',
  contentType: 'application/msgpack',

  encode: (shape, message) => writeMessagePack(pruneMessage(shape, message)),

  prepare: (shape, message) => pruneMessage(shape, message),

  prepareOperation: (shape, request) => pruneOperation(shape, request),

  write: writeMessagePackParts,

  decode<Name extends ShapeName>(shape: Name, bytes: Uint8Array) {
    return (readMessagePack(shape, bytes) as Messages[Name] | undefined) ?? readCarefully(shape, bytes)
  }
}

/** Whatever is acceptable, in any order and with whatever is unknown; what is not is told. */
function readCarefully<Name extends ShapeName>(shape: Name, bytes: Uint8Array): Messages[Name] {
  scanMessagePack(bytes)
  let plain: unknown
  try {
    plain = decoder.decode(bytes)
  } catch (cause) {
    // DecodeError, but also RangeError and TypeError.
    throw malformed('not MessagePack', cause)
  }
  return checkMessage(shape, plain)
}
