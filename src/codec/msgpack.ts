/** The MessagePack codec: a fast reader, a complete reader, and the writer. */
import type { MessageName } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import type { Codec } from './codec.ts'
import { malformed } from './malformed.ts'
import { readMessagePack } from './msgpack-read.ts'
import { scanMessagePack } from './msgpack-scan.ts'
import { readValue } from './msgpack-values.ts'
import { writeMessagePack, writeMessagePackPieces } from './msgpack-write.ts'
import { fromWire, toWire, toWireOperation } from './wire-object.ts'

/** Messages as MessagePack maps with the field names of the JSON form; bytes are `bin`. */
export const msgpackCodec: Codec<'msgpack'> = {
  name: 'msgpack',
  contentType: 'application/msgpack',

  encode: (type, message) => writeMessagePack(toWire(type, message)),

  prepare: (type, message) => toWire(type, message),

  long: (value) => value,

  prepareOperation: (type, request) => toWireOperation(type, request),

  write: (_type, prepared, headroom) => writeMessagePackPieces(prepared, headroom),

  decode<Name extends MessageName>(type: Name, bytes: Uint8Array) {
    return (readMessagePack(type, bytes) as Messages[Name] | undefined) ?? readCompletely(type, bytes)
  }
}

/** Reads fields in any order, ignores unknown ones, and reports errors. */
function readCompletely<Name extends MessageName>(type: Name, bytes: Uint8Array): Messages[Name] {
  scanMessagePack(bytes)
  let wire: unknown
  try {
    wire = readValue(bytes)
  } catch (cause) {
    // DecodeError, but also RangeError and TypeError.
    throw malformed('the message is not valid MessagePack', cause)
  }
  return fromWire(type, wire)
}
