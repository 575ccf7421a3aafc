/** `ZlibFunctions` of platform.ts on the streams of the web, whose results are promises. They read one gzip member. */
import type { Compressor, Decompression } from '../platform.ts'
import { concat } from './bytes.ts'

export const compressors: readonly Compressor[] = typeof CompressionStream === 'function' ? ['gzip'] : []

/** A stream may make all of a piece before it is asked for any: so much deflate can make of it is held at once, 4 MiB. */
const pieceBytes = 4096

export function compress(compressor: Compressor, bytes: Uint8Array): Promise<Uint8Array> {
  return throughStream(new CompressionStream(compressor as 'gzip'), bytes, Number.POSITIVE_INFINITY)
}

export async function decompress(
  bytes: Uint8Array,
  { format, maxBytes, isWanted = () => true }: Decompression
): Promise<Uint8Array> {
  if (!isWanted()) throw new Error('nobody waits for the content')
  if (format === 'zstd') throw new Error('this runtime has no zstd')
  return throughStream(new DecompressionStream(format), bytes, maxBytes)
}

async function throughStream(
  { readable, writable }: CompressionStream | DecompressionStream,
  bytes: Uint8Array,
  maxBytes: number
): Promise<Uint8Array> {
  let at = 0
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.subarray(at, at + pieceBytes) as Uint8Array<ArrayBuffer>)
      at += pieceBytes
    }
  })
  const pieces: Uint8Array[] = []
  let length = 0
  const reader = source.pipeThrough({ readable, writable }).getReader()
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    pieces.push(value as Uint8Array)
    length += (value as Uint8Array).length
    if (length <= maxBytes) continue
    reader.cancel().catch(() => undefined)
    throw new RangeError(`the content has more than ${maxBytes} bytes`)
  }
  return concat(pieces)
}
