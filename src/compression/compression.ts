/** Compression of messages, and decompression under a byte limit, with `BlobwireError`s. */
import { BlobwireError } from '../core/error.ts'
import { concat } from '../platform/bytes.ts'
import type { CompressedFormat, Compressor } from '../platform/platform.ts'
import * as zlib from '../platform/zlib.ts'
import { type ZstdFrame, zstdFrames } from './zstd-frames.ts'

export type { Compressor } from '../platform/platform.ts'
export { compress } from '../platform/zlib.ts'

/**
 * `always`: zstd where the server takes it, otherwise gzip. `auto`: the same, but for an endpoint on this machine, where
 * compression takes longer than the bytes that it saves.
 */
export type Compression = 'auto' | 'always' | 'gzip' | 'none'

/** Header in which a client tells a server on a loopback address its machine; a tunnel may lead to another one. */
export const machineHeader = 'blobwire-machine'

/** The compressors that a client may use, the best first. */
export function compressorsOf(compression: Compression): readonly Compressor[] {
  if (compression === 'none') return []
  return compression === 'gzip' ? ['gzip'] : zlib.compressors
}

/** Content codings that are read: those of `Compressor`, and `deflate` (RFC 9110 section 8.4.1.2) in both its forms. */
export type Encoding = Compressor | 'deflate'

const encodings: readonly Encoding[] = ['zstd', 'gzip', 'deflate']

/** The encodings as the value of `accept-encoding`. */
export const acceptedEncodings = encodings.join(', ')

export function isEncoding(name: string): name is Encoding {
  return encodings.includes(name as Encoding)
}

/**
 * Smaller messages are compressed with gzip even where zstd may be: it takes as long, and is decompressed in half the time
 * (docs/performance.md).
 */
const zstdFromBytes = 16 * 1024

/** The compressor for a message of so many bytes, of those that both sides have; undefined = none. */
export function compressorFor(bytes: number, usable: readonly Compressor[]): Compressor | undefined {
  return bytes < zstdFromBytes && usable.includes('gzip') ? 'gzip' : usable[0]
}

/**
 * The compressors of this runtime that an `accept-encoding` header allows, the best first. Source: RFC 9110 section
 * 12.5.3; a weight of 0 forbids one.
 */
export function compressorsIn(header: string): readonly Compressor[] {
  const names = new Set<string>()
  for (const item of header.split(',')) {
    const [name = '', ...parameters] = item.split(';')
    const isRefused = parameters.some((parameter) => /^\s*q=0(?:\.0*)?\s*$/i.test(parameter))
    if (!isRefused) names.add(name.trim().toLowerCase())
  }
  return zlib.compressors.filter((name) => names.has(name))
}

/** The length that the trailer of a gzip member tells (RFC 1952 section 2.3.1), as far as it is possible. */
export function sizeInGzip(bytes: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(-4)
  return Math.min(a + b * 2 ** 8 + c * 2 ** 16 + d * 2 ** 24, bytes.length * maxDeflateRatio)
}

/** Deflate makes of 258 bytes two bits at best. */
const maxDeflateRatio = 1032

/** The form of `deflate`: some send it without the header of zlib (RFC 1950 section 2.2). */
export function deflateFormat(bytes: Uint8Array): CompressedFormat {
  const [method = 0, flags = 0] = bytes
  return (method & 15) === 8 && (method * 256 + flags) % 31 === 0 ? 'deflate' : 'deflate-raw'
}

/** How bytes are decompressed. */
export interface Decompressing {
  readonly encoding: Encoding
  readonly maxBytes: number
  /** Asked when a body has waited for others: one that nobody wants any more is refused. */
  readonly isWanted?: () => boolean
}

/**
 * The content of a compressed message; a promise where it is large.
 * @throws BlobwireError `resource_exhausted` above `maxBytes`, before more is buffered; `invalid_argument`, reason
 * `malformed`, for bytes that are not of the encoding, are truncated or have a wrong checksum or size
 */
export function decompress(bytes: Uint8Array, decompressing: Decompressing): Uint8Array | Promise<Uint8Array> {
  const fail = (cause: unknown): never => {
    throw failure(cause, decompressing)
  }
  try {
    const content = contentOf(bytes, decompressing)
    return content instanceof Promise ? content.catch(fail) : content
  } catch (cause) {
    return fail(cause)
  }
}

function contentOf(
  bytes: Uint8Array,
  { encoding, maxBytes, isWanted }: Decompressing
): Uint8Array | Promise<Uint8Array> {
  if (encoding === 'gzip')
    return zlib.decompress(bytes, { format: encoding, maxBytes, expectedBytes: sizeInGzip(bytes), isWanted })
  if (encoding === 'deflate') return zlib.decompress(bytes, { format: deflateFormat(bytes), maxBytes, isWanted })
  const frames = zstdFrames(bytes)
  const one = (frame: ZstdFrame, leftBytes: number) => {
    const { contentBytes: expectedBytes } = frame
    if (expectedBytes !== undefined && expectedBytes > leftBytes) throw new RangeError('the content is too large')
    return zlib.decompress(frame.bytes, { format: encoding, maxBytes: leftBytes, expectedBytes, isWanted })
  }
  return frames.length === 1 && frames[0] ? one(frames[0], maxBytes) : joined(frames, one, maxBytes)
}

async function joined(
  frames: readonly ZstdFrame[],
  one: (frame: ZstdFrame, leftBytes: number) => Uint8Array | Promise<Uint8Array>,
  maxBytes: number
): Promise<Uint8Array> {
  const contents: Uint8Array[] = []
  let left = maxBytes
  for (const frame of frames) {
    const content = await one(frame, left)
    left -= content.length
    contents.push(content)
  }
  return concat(contents)
}

function failure(cause: unknown, { encoding, maxBytes }: Decompressing): BlobwireError {
  if (!(cause instanceof RangeError)) {
    return new BlobwireError({ reason: 'malformed', message: `the bytes are not valid ${encoding}`, cause })
  }
  return new BlobwireError({
    code: 'resource_exhausted',
    message: `the message has more than ${maxBytes} bytes after decompression`,
    details: { limit: { limit: 'max_batch_bytes', maximum: maxBytes, actual: 0 } },
    cause
  })
}
