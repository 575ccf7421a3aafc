import { Decoder, Encoder } from '@msgpack/msgpack'
import type { Codec } from './codec.ts'
import { malformed } from './malformed.ts'
import { scanMessagePack } from './msgpack-scan.ts'
import { checkMessage, pruneMessage } from './shape-check.ts'

const encoder = new Encoder()
const decoder = new Decoder()

/** Messages as MessagePack maps with the field names of the JSON form; bytes are `bin`. */
export const msgpackCodec: Codec = {
  name: 'msgpack',
  contentType: 'application/msgpack',

  encode: (shape, message) => msgpackCodec.write(msgpackCodec.prepare(shape, message)),

  prepare: (shape, message) => pruneMessage(shape, message),

  write: (prepared) => encoder.encode(prepared),

  decode(shape, bytes) {
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
}
