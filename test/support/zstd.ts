/** Messages of zstd that a decoder must take or refuse, by hand and by Node's encoder. Source: RFC 8878 section 3.1. */
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib'

const magic = Buffer.from('28b52ffd', 'hex')

/** One frame of one raw block: with a window of 2^log bytes and no content size, or with fields of its header as given. */
function rawFrame(content: Uint8Array, header: Uint8Array): Buffer {
  const block = Buffer.alloc(3)
  block.writeUIntLE((content.length << 3) | 1, 0, 3)
  return Buffer.concat([magic, header, block, content])
}

/** A frame whose decoder has to hold a window of so many bytes, whatever the content. */
export const zstdWithWindow = (content: Uint8Array, log: number) => rawFrame(content, Buffer.of(0, (log - 10) << 3))

/** A frame with the id of a dictionary. */
export const zstdWithDictionary = (content: Uint8Array) => rawFrame(content, Buffer.of(0x21, 7, content.length))

/** A frame that tells another content size than it has. */
export const zstdWithSize = (content: Uint8Array, told: number) => {
  const header = Buffer.alloc(9)
  header[0] = 0xe0
  header.writeBigUInt64LE(BigInt(told), 1)
  return rawFrame(content, header)
}

export const zstdSkippable = Buffer.from('502a4d1802000000abcd', 'hex')

/** As compressing proxies write it: in a stream, so that the frame does not tell its size. */
export function zstdStream(content: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const encoder = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } })
    const chunks: Buffer[] = []
    encoder.on('data', (chunk) => chunks.push(chunk)).once('error', reject)
    encoder.once('end', () => resolve(Buffer.concat(chunks)))
    encoder.write(content.subarray(0, content.length >> 1))
    encoder.flush(() => encoder.end(content.subarray(content.length >> 1)))
  })
}

/** Bytes that are no sound message, by what is wrong with them. */
export function badZstd(content: Uint8Array): Record<string, Buffer> {
  const sound = zstdCompressSync(content, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })
  const damaged = Buffer.from(sound)
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1
  return {
    'not zstd': Buffer.from(content),
    nothing: Buffer.alloc(0),
    'a wrong checksum': damaged,
    'truncated in its checksum': sound.subarray(0, -1),
    'truncated in a block': sound.subarray(0, -8),
    'truncated in its header': sound.subarray(0, 6),
    'bytes behind the frame': Buffer.concat([sound, Buffer.from('more')]),
    'a second frame that is truncated': Buffer.concat([sound, sound.subarray(0, -3)]),
    'a skippable frame that is truncated': Buffer.concat([sound, zstdSkippable.subarray(0, -1)]),
    'a dictionary': zstdWithDictionary(content),
    'a window of 16 MiB': zstdWithWindow(content, 24),
    'a window of 1 TiB': zstdWithWindow(content, 40),
    'a size that is too small': zstdWithSize(content, content.length - 1),
    'seventeen frames': Buffer.concat(Array(17).fill(sound))
  }
}
