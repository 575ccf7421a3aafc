/** Any MessagePack value, complete and in any order: the slow reader behind `msgpack-read.ts`. */
import { Decoder } from '@msgpack/msgpack'

const decoder = new Decoder()

/** The value of bytes that `scanMessagePack` has let through. @throws Error */
export function readValue(bytes: Uint8Array): unknown {
  return decoder.decode(bytes)
}
