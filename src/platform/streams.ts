/** `StreamFunctions` of platform.ts on Node. */
import { Readable } from 'node:stream'

export function nodeStream(chunks: AsyncIterable<Uint8Array>): object {
  return Readable.from(chunks, { objectMode: false })
}
