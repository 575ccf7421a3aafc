/** `ZlibFunctions` of platform.ts on Node. */
import { promisify } from 'node:util'
import zlib from 'node:zlib'

const gzipAsync = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip)
const gunzipAsync = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip)

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

/** Level 1: for a request, the time of a higher level costs more than the bytes it saves. */
const options = { level: 1 } as const

export function gzip(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
  return bytes.length <= syncBytes ? zlib.gzipSync(bytes, options) : gzipAsync(bytes, options)
}

/** Above the limit, zlib throws ERR_BUFFER_TOO_LARGE, a RangeError. */
export function gunzip(
  bytes: Uint8Array,
  maxBytes: number,
  isWanted?: () => boolean
): Uint8Array | Promise<Uint8Array> {
  if (bytes.length <= syncBytes) {
    try {
      return zlib.gunzipSync(bytes, { maxOutputLength: Math.min(maxBytes, syncOutputBytes) })
    } catch (error) {
      if (maxBytes <= syncOutputBytes || !(error instanceof RangeError)) throw error
    }
  }
  return inflate(bytes, maxBytes, isWanted)
}

/** Bodies that wait take the memory of their compressed bytes alone. */
async function inflate(bytes: Uint8Array, maxBytes: number, isWanted = () => true): Promise<Uint8Array> {
  if (inflating >= maxInflating) await new Promise<void>((resolve) => waiting.push(resolve))
  else inflating++
  try {
    if (!isWanted()) throw new Error('nobody waits for the content')
    return await gunzipAsync(bytes, { maxOutputLength: maxBytes, chunkSize })
  } finally {
    const next = waiting.shift()
    if (next) next()
    else inflating--
  }
}
