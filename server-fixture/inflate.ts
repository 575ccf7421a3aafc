/** Decompresses requests under their limit and under the budget of the server. */
import zlib from 'node:zlib'
import { deflateFormat, type Encoding, sizeInGzip } from '../src/compression/compression.ts'
import { type ZstdFrame, zstdFrames } from '../src/compression/zstd-frames.ts'
import { BlobwireError } from '../src/core/error.ts'
import type { Charge } from './memory-budget.ts'
import { limitExceeded } from './service/errors.ts'

/** Messages up to this size are decompressed at once: zlib's thread pool would take longer. */
const syncBytes = 16 * 1024
const chunkSize = 64 * 1024

/** How a message is decompressed. */
export interface Inflation {
  readonly encoding: Encoding
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
  const { encoding } = inflation
  // Some clients tell of an encoding where there is nothing to compress.
  if (bytes.length === 0) return bytes
  if (encoding === 'gzip') return inflatePiece({ ...inflation, format: gzip, bytes, expectedBytes: sizeInGzip(bytes) })
  if (encoding === 'deflate') {
    const format = deflateFormat(bytes) === 'deflate' ? deflate : deflateRaw
    return inflatePiece({ ...inflation, format, bytes })
  }
  let frames: ZstdFrame[]
  try {
    frames = zstdFrames(bytes)
  } catch (cause) {
    throw malformed(encoding, cause)
  }
  const [first] = frames
  return frames.length === 1 && first ? inflateFrame(first, inflation) : inflateFrames(frames, inflation)
}

/** How a format is decompressed: small messages at once, others beside the event loop. */
interface Format {
  readonly atOnce: (bytes: Uint8Array, options: Bounds) => Buffer
  readonly stream: (options: { chunkSize: number }) => zlib.Gunzip | zlib.ZstdDecompress
}

type Bounds = { readonly maxOutputLength: number }

/** The largest window of zstd that HTTP's content coding may have: 8 MiB (RFC 9659 section 3). */
const params = { [zlib.constants.ZSTD_d_windowLogMax]: 23 }

const gzip: Format = { atOnce: zlib.gunzipSync, stream: zlib.createGunzip }
const deflate: Format = { atOnce: zlib.inflateSync, stream: zlib.createInflate }
const deflateRaw: Format = { atOnce: zlib.inflateRawSync, stream: zlib.createInflateRaw }
const zstd: Format = {
  atOnce: (bytes, options) => zlib.zstdDecompressSync(bytes, { ...options, params }),
  stream: (options) => zlib.createZstdDecompress({ ...options, params })
}

/** Bytes of one format: a whole message, or one frame of zstd. */
interface Piece extends Inflation {
  readonly format: Format
  readonly bytes: Uint8Array
  /** About as many bytes as the content has, where they are known. */
  readonly expectedBytes?: number
}

function inflatePiece(piece: Piece): Uint8Array | Promise<Uint8Array> {
  return piece.bytes.length <= syncBytes ? inflateAtOnce(piece) : inflateStream(piece)
}

/** What the decoder holds besides the content is charged, too: a frame of 20 bytes may ask for 8 MiB. */
function inflateFrame(frame: ZstdFrame, inflation: Inflation): Uint8Array | Promise<Uint8Array> {
  const { bytes, contentBytes: expectedBytes = 0, windowBytes } = frame
  const { charge, maxBytes } = inflation
  if (expectedBytes > maxBytes) throw limitExceeded('max_batch_bytes', maxBytes, expectedBytes)
  charge.add(windowBytes)
  const release = () => charge.release(windowBytes)
  let content: Uint8Array | Promise<Uint8Array> | undefined
  try {
    content = inflatePiece({ ...inflation, format: zstd, bytes, expectedBytes })
  } finally {
    if (!(content instanceof Promise)) release()
  }
  return content instanceof Promise ? content.finally(release) : content
}

async function inflateFrames(frames: readonly ZstdFrame[], inflation: Inflation): Promise<Uint8Array> {
  const contents: Uint8Array[] = []
  let { maxBytes } = inflation
  for (const frame of frames) {
    const content = await inflateFrame(frame, { ...inflation, maxBytes })
    maxBytes -= content.length
    contents.push(content)
  }
  return Buffer.concat(contents)
}

function inflateAtOnce({ bytes, encoding, format, maxBytes, charge }: Piece): Uint8Array {
  const left = charge.leftFor(0)
  if (left === 0) throw charge.refusal(1)
  let content: Uint8Array
  try {
    content = format.atOnce(bytes, { maxOutputLength: Math.max(1, Math.min(left, maxBytes)) })
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw malformed(encoding, cause)
    throw left < maxBytes ? charge.refusal(left + 1) : limitExceeded('max_batch_bytes', maxBytes, 0)
  }
  charge.add(content.length)
  return content
}

/** Each chunk costs a turn of the event loop; a content of known length comes in one, and needs no copy. */
function inflateStream({ bytes, encoding, format, expectedBytes = 0, maxBytes, charge }: Piece): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // With a byte more than the content, zlib sees that it is complete, and begins no other chunk.
    const decoder = format.stream({ chunkSize: Math.max(chunkSize, Math.min(expectedBytes, maxBytes) + 1) })
    const chunks: Uint8Array[] = []
    let size = 0
    const fail = (error: unknown) => {
      decoder.destroy()
      reject(error)
    }
    decoder.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      if (size > maxBytes) return fail(limitExceeded('max_batch_bytes', maxBytes, 0))
      try {
        charge.add(chunk.length)
        chunks.push(chunk)
      } catch (error) {
        fail(error)
      }
    })
    decoder.once('error', (cause) => fail(malformed(encoding, cause)))
    decoder.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size)))
    decoder.end(bytes)
  })
}

function malformed(encoding: Encoding, cause: unknown): BlobwireError {
  return new BlobwireError({ reason: 'malformed', message: `the bytes are not valid ${encoding}`, cause })
}
