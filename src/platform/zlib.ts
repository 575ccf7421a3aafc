/** `ZlibFunctions` of platform.ts on Node. */
import { promisify } from 'node:util'
import zlib from 'node:zlib'

const gzipAsync = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip)
const gunzipAsync = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip)

/** Bodies up to this size are compressed at once: zlib's thread pool would take longer. */
const syncBytes = 16 * 1024

/** Level 1: for a request, the time of a higher level costs more than the bytes it saves. */
const options = { level: 1 } as const

export function gzip(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
  return bytes.length <= syncBytes ? zlib.gzipSync(bytes, options) : gzipAsync(bytes, options)
}

/** Above the limit, zlib throws ERR_BUFFER_TOO_LARGE, a RangeError. */
export function gunzip(bytes: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array> {
  const limits = { maxOutputLength: maxBytes }
  return bytes.length <= syncBytes ? zlib.gunzipSync(bytes, limits) : gunzipAsync(bytes, limits)
}
