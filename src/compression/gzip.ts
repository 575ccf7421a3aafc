import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { BlobwireError } from '../core/error.ts'

const gzipAsync = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip)
const gunzipAsync = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip)

/** Up to here the work is shorter than the way to zlib's thread pool and back. */
const syncBytes = 16 * 1024

/** Level 1: on the way to a server the bytes saved by more would not pay for the time. */
const options = { level: 1 } as const

/** A gzip member (RFC 1952) of the bytes; a promise only where they are many. */
export function gzip(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
  return bytes.length <= syncBytes ? zlib.gzipSync(bytes, options) : gzipAsync(bytes, options)
}

/**
 * The bytes of one or more gzip members (RFC 1952); a promise only where they are many.
 * @throws BlobwireError `resource_exhausted` above `maxBytes`, before more is buffered; `invalid_argument`, reason
 * `malformed`, for what is not gzip, is truncated or has a wrong checksum or size
 */
export function gunzip(bytes: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array> {
  const limits = { maxOutputLength: maxBytes }
  if (bytes.length > syncBytes) {
    return gunzipAsync(bytes, limits).catch((cause) => {
      throw failure(cause, maxBytes)
    })
  }
  try {
    return zlib.gunzipSync(bytes, limits)
  } catch (cause) {
    throw failure(cause, maxBytes)
  }
}

function failure(cause: unknown, maxBytes: number): BlobwireError {
  if ((cause as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') {
    return new BlobwireError({ code: 'invalid_argument', reason: 'malformed', message: 'not gzip', cause })
  }
  return new BlobwireError({
    code: 'resource_exhausted',
    message: `more than ${maxBytes} bytes after decompression`,
    details: { limit: { limit: 'max_batch_bytes', maximum: maxBytes, actual: 0 } },
    cause
  })
}
