/** `ZlibFunctions` of platform.ts on Node. */
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import type { CompressedFormat, Compressor, Decompression } from './platform.ts'

type Options = zlib.ZlibOptions & zlib.ZstdOptions
type Sync = (bytes: Uint8Array, options: Options) => Buffer
type Later = (bytes: Uint8Array, options: Options) => Promise<Buffer>

interface Method {
  readonly atOnce: Sync
  readonly later: Later
  readonly options: Options
}

function method<Given extends Options>(
  atOnce: (bytes: Uint8Array, options: Given) => Buffer,
  later: (bytes: Uint8Array, options: Given, callback: zlib.CompressCallback) => void,
  options: Given
): Method {
  return { atOnce: atOnce as Sync, later: promisify(later) as unknown as Later, options }
}

const { constants } = zlib

/**
 * Level 1 of gzip: for a request, the time of a higher level costs more than the bytes it saves. Level 3 of zstd takes a
 * sixth longer than level 1 and saves a tenth (docs/performance.md).
 */
const compressing: Readonly<Record<Compressor, Method>> = {
  gzip: method(zlib.gzipSync, zlib.gzip, { level: 1 }),
  zstd: method(zlib.zstdCompressSync, zlib.zstdCompress, { params: { [constants.ZSTD_c_compressionLevel]: 3 } })
}

/** The largest window of zstd that HTTP's content coding may have: 8 MiB (RFC 9659 section 3). */
const maxWindowLog = 23

const decompressing: Readonly<Record<CompressedFormat, Method>> = {
  gzip: method(zlib.gunzipSync, zlib.gunzip, {}),
  zstd: method(zlib.zstdDecompressSync, zlib.zstdDecompress, {
    params: { [constants.ZSTD_d_windowLogMax]: maxWindowLog }
  }),
  deflate: method(zlib.inflateSync, zlib.inflate, {}),
  'deflate-raw': method(zlib.inflateRawSync, zlib.inflateRaw, {})
}

export const compressors: readonly Compressor[] = ['zstd', 'gzip']

/** Bodies up to this size are compressed at once: zlib's thread pool would take longer. */
const syncBytes = 16 * 1024

/** Small bodies that are larger than this when decompressed do not hold up the event loop either. */
const syncOutputBytes = 256 * 1024

/** Each piece that the thread pool decompresses costs a turn of the event loop; Node's 16 KiB take twice as long in all. */
const chunkSize = 128 * 1024

/** Bodies that the thread pool decompresses at the same time: as many as it has threads. More would only take memory. */
const maxInflating = 4
let inflating = 0
const waiting: (() => void)[] = []

export function compress(compressor: Compressor, bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
  const { atOnce, later, options } = compressing[compressor]
  return bytes.length <= syncBytes ? atOnce(bytes, options) : later(bytes, options)
}

/** Above the limit, zlib throws ERR_BUFFER_TOO_LARGE, a RangeError. */
export function decompress(bytes: Uint8Array, decompression: Decompression): Uint8Array | Promise<Uint8Array> {
  const { format, maxBytes } = decompression
  const { atOnce, options } = decompressing[format]
  if (bytes.length <= syncBytes) {
    try {
      return atOnce(bytes, { ...options, maxOutputLength: Math.min(maxBytes, syncOutputBytes) })
    } catch (error) {
      if (maxBytes <= syncOutputBytes || !(error instanceof RangeError)) throw error
    }
  }
  return inflate(bytes, decompression)
}

/** Bodies that wait take the memory of their compressed bytes alone. */
async function inflate(bytes: Uint8Array, decompression: Decompression): Promise<Uint8Array> {
  const { format, maxBytes, expectedBytes = 0, isWanted = () => true } = decompression
  if (inflating >= maxInflating) await new Promise<void>((resolve) => waiting.push(resolve))
  else inflating++
  try {
    if (!isWanted()) throw new Error('nobody waits for the content')
    const { later, options } = decompressing[format]
    // With a byte more than the content, zlib sees that it is complete, and begins no other buffer.
    const size = Math.max(chunkSize, Math.min(expectedBytes, maxBytes) + 1)
    return await later(bytes, { ...options, maxOutputLength: maxBytes, chunkSize: size })
  } finally {
    const next = waiting.shift()
    if (next) next()
    else inflating--
  }
}
