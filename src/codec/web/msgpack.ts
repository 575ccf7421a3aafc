/** In the place of `codec/msgpack.ts`: one small reader and a small writer, where programs come over a network. */
import type { Codec } from '../codec.ts'
import { fromWire, toWire, toWireOperation } from '../wire-object.ts'
import { readMessagePack } from './msgpack-read.ts'
import { writeMessagePack } from './msgpack-write.ts'

export const msgpackCodec: Codec<'msgpack'> = {
  name: 'msgpack',
  contentType: 'application/msgpack',
  encode: (type, message) => writeMessagePack(toWire(type, message)),
  prepare: (type, message) => toWire(type, message),
  long: (value) => value,
  prepareOperation: (type, request) => toWireOperation(type, request),
  write: (_type, prepared, headroom) => [writeMessagePack(prepared, headroom)],
  decode: (type, bytes) => fromWire(type, readMessagePack(bytes))
}
