/**
 * Finds the frames of zstd in a message (RFC 8878 section 3.1). Node 22 takes a truncated frame for a complete one, and
 * reads only the first of several; Node 26 takes any bytes behind a frame.
 */

/** One frame, without its neighbours. */
export interface ZstdFrame {
  readonly bytes: Uint8Array
  /** Length of the content, which the decoder checks; undefined = the frame does not tell. */
  readonly contentBytes: number | undefined
  /** What the decoder holds besides, at most: it needs no window where it writes the content in one piece. */
  readonly windowBytes: number
}

/** Most frames of one message: each costs a decoder, and an empty one has nine bytes. */
const maxFrames = 16

/** The largest window that HTTP's content coding may have (RFC 9659 section 3). */
const maxWindowBytes = 8 * 1024 * 1024

const magic = 0xfd2fb528
const isSkippable = (word: number) => word >>> 4 === 0x184d2a5
/** Lengths of the fields in a frame's header, by the two bits that tell them. */
const dictionaryIdBytes = [0, 1, 2, 4] as const
const contentSizeBytes = [0, 2, 4, 8] as const

/** Whether bytes begin as a frame of zstd does. No member of gzip does. */
export function isZstd(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && littleEndian(bytes, 0, 4) === magic
}

/**
 * All frames with content; skippable ones are left out.
 * @throws Error where the bytes are no complete frames, or are too many; and for a frame that needs a dictionary or a window above 8 MiB
 */
export function zstdFrames(bytes: Uint8Array): ZstdFrame[] {
  const frames: ZstdFrame[] = []
  let at = 0
  for (let count = 0; at < bytes.length || count === 0; count++) {
    if (count === maxFrames) throw new Error(`more than ${maxFrames} frames of zstd`)
    const word = littleEndian(bytes, at, 4)
    if (isSkippable(word)) {
      at += 8 + littleEndian(bytes, at + 4, 4)
      if (at > bytes.length) throw truncated()
    } else if (word === magic) {
      const frame = frameAt(bytes, at)
      frames.push(frame)
      at += frame.bytes.length
    } else throw new Error('no frame of zstd')
  }
  return frames
}

/** Section 3.1.1: the header, blocks, and four bytes of a checksum where the header says so. */
function frameAt(bytes: Uint8Array, start: number): ZstdFrame {
  const descriptor = littleEndian(bytes, start + 4, 1)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >>> 6
  const sizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : (contentSizeBytes[sizeFlag] as number)
  let at = start + 5
  let windowBytes = 0
  if (!isSingleSegment) {
    const window = littleEndian(bytes, at++, 1)
    const base = 2 ** (10 + (window >>> 3))
    windowBytes = base + (base / 8) * (window & 7)
    if (windowBytes > maxWindowBytes) throw new Error(`the frame of zstd needs a window of ${windowBytes} bytes`)
  }
  const idBytes = dictionaryIdBytes[descriptor & 3] as number
  if (littleEndian(bytes, at, idBytes) !== 0) throw new Error('the frame of zstd needs a dictionary')
  at += idBytes
  const contentBytes = sizeBytes === 0 ? undefined : littleEndian(bytes, at, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  at += sizeBytes
  for (let isLast = false; !isLast; ) {
    const header = littleEndian(bytes, at, 3)
    isLast = (header & 1) !== 0
    const isRun = (header & 6) === 2
    at += 3 + (isRun ? 1 : header >>> 3)
  }
  if ((descriptor & 4) !== 0) at += 4
  if (at > bytes.length) throw truncated()
  return { bytes: bytes.subarray(start, at), contentBytes, windowBytes: contentBytes === undefined ? windowBytes : 0 }
}

/** A number of up to eight bytes, rounded above 2^53. */
function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  if (at + length > bytes.length) throw truncated()
  let number = 0
  for (let place = length - 1; place >= 0; place--) number = number * 256 + (bytes[at + place] as number)
  return number
}

const truncated = () => new Error('a truncated frame of zstd')
