/** Decompresses requests under their limit and under the budget of the server. */
import { createGunzip, createInflate, gunzipSync, inflateSync } from 'node:zlib'
import { BlobwireError } from '../src/core/error.ts'
import type { Charge } from './memory-budget.ts'
import { limitExceeded } from './service/errors.ts'

/** Messages up to this size are decompressed at once: zlib's thread pool would take longer. */
const syncBytes = 16 * 1024
const chunkSize = 64 * 1024

/** The content codings of RFC 9110 section 8.4.1 that are served; `deflate` over gRPC alone. */
export type Compression = 'gzip' | 'deflate'

/** How a message is decompressed. */
export interface Inflation {
  readonly encoding: Compression
  readonly maxBytes: number
  /** Charged with the decompressed bytes as they come. */
  readonly charge: Charge
}

/**
 * The decompressed message; a promise where it is large.
 * @throws BlobwireError `resource_exhausted` above `maxBytes` and above the budget, before more is buffered;
 * `invalid_argument`, reason `malformed`, for bytes that are damaged or truncated
 */
export function inflate(bytes: Uint8Array, inflation: Inflation): Uint8Array | Promise<Uint8Array> {
  return bytes.length <= syncBytes ? inflateAtOnce(bytes, inflation) : inflateStream(bytes, inflation)
}

function inflateAtOnce(bytes: Uint8Array, { encoding, maxBytes, charge }: Inflation): Uint8Array {
  const left = charge.leftFor(0)
  if (left === 0) throw charge.refusal(1)
  const limits = { maxOutputLength: Math.min(left, maxBytes) }
  let content: Uint8Array
  try {
    content = encoding === 'gzip' ? gunzipSync(bytes, limits) : inflateSync(bytes, limits)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw malformed(encoding, cause)
    throw left < maxBytes ? charge.refusal(left + 1) : limitExceeded('max_batch_bytes', maxBytes, 0)
  }
  charge.add(content.length)
  return content
}

function inflateStream(bytes: Uint8Array, { encoding, maxBytes, charge }: Inflation): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const zlib = encoding === 'gzip' ? createGunzip({ chunkSize }) : createInflate({ chunkSize })
    const chunks: Uint8Array[] = []
    let size = 0
    const fail = (error: unknown) => {
      zlib.destroy()
      reject(error)
    }
    zlib.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      if (size > maxBytes) return fail(limitExceeded('max_batch_bytes', maxBytes, 0))
      try {
        charge.add(chunk.length)
        chunks.push(chunk)
      } catch (error) {
        fail(error)
      }
    })
    zlib.once('error', (cause) => fail(malformed(encoding, cause)))
    zlib.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size)))
    zlib.end(bytes)
  })
}

function malformed(encoding: Compression, cause: unknown): BlobwireError {
  return new BlobwireError({ reason: 'malformed', message: `the bytes are not valid ${encoding}`, cause })
}
