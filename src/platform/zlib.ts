/** `ZlibFunctions` of platform.ts on Node. */
import { promisify } from 'node:util'
import zlib from 'node:zlib'

const gzipAsync = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip)
const gunzipAsync = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip)

/** Up to here the work is shorter than the way to zlib's thread pool and back. */
const syncBytes = 16 * 1024

/** Level 1: on the way to a server the bytes saved by more would not pay for the time. */
const options = { level: 1 } as const

export function gzip(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
  return bytes.length <= syncBytes ? zlib.gzipSync(bytes, options) : gzipAsync(bytes, options)
}

/** Above the limit, zlib throws ERR_BUFFER_TOO_LARGE, a RangeError. */
export function gunzip(bytes: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array> {
  const limits = { maxOutputLength: maxBytes }
  return bytes.length <= syncBytes ? zlib.gunzipSync(bytes, limits) : gunzipAsync(bytes, limits)
}
