/**
 * The form in which a large blob lies in its pack: every byte has its place by arithmetic. Source: gitformat-pack(5),
 * RFC 1950 (zlib), RFC 1951 (deflate).
 *
 * The content is a deflate stream of stored blocks, eight in a group of 128 KiB. The five bits between the header of a
 * stored block and the next byte mean nothing to deflate: four of them hold a part of the CRC-32 of the group, so that a
 * range that is read alone is known to be as it was written. Other gits copy the stream as it is into their packs.
 */
import { crc32 } from 'node:zlib'

const blockBytes = 16 * 1024
const blocksPerGroup = 8
/** Content of a group. */
export const groupBytes = blockBytes * blocksPerGroup
/** Type and lengths of a block. */
const headerBytes = 5
const headersPerGroup = headerBytes * blocksPerGroup
/** A whole group with its headers. */
export const storedGroupBytes = groupBytes + headersPerGroup
/** Before the groups: no compression, a window of 32 KiB. */
export const zlibHeader = Uint8Array.of(0x78, 0x01)
/** The header of a pack of version 2 with one object. */
export const packHeader = Uint8Array.from([...Buffer.from('PACK'), 0, 0, 0, 2, 0, 0, 0, 1])

/** "Object types": blob. */
const blobType = 3
/** Enough for 64 TiB. Where the size is not known yet, it is written in so many bytes, which Git reads as well. */
const paddedSizeBytes = 7

/**
 * The header of a blob in a pack.
 *
 * @param size undefined = it is not known yet; see `paddedObjectHeader`
 */
export function objectHeader(size: number | undefined): Uint8Array {
  if (size === undefined) return paddedObjectHeader(0)
  let length = 1
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) length++
  return encodeHeader(size, length)
}

/** The header of a blob whose size was not known when its pack was begun. */
export function paddedObjectHeader(size: number): Uint8Array {
  return encodeHeader(size, paddedSizeBytes)
}

function encodeHeader(size: number, length: number): Uint8Array {
  const header = new Uint8Array(length)
  header[0] = (blobType << 4) | (size % 16)
  let rest = Math.floor(size / 16)
  for (let at = 1; at < length; at++) {
    header[at - 1] = (header[at - 1] ?? 0) | 0x80
    header[at] = rest % 128
    rest = Math.floor(rest / 128)
  }
  return header
}

/**
 * Reads the beginning of an object in a pack. Undefined where it is no blob, or lies in another form.
 *
 * @returns its size, and the length of all that precedes its groups
 */
export function readBlobHead(head: Uint8Array): { size: number; length: number } | undefined {
  let size = (head[0] ?? 0) & 15
  let length = 1
  for (let factor = 16; ((head[length - 1] ?? 0) & 0x80) !== 0; length++, factor *= 128) {
    size += ((head[length] ?? 0) & 0x7f) * factor
  }
  const isBlob = (((head[0] ?? 0) >> 4) & 7) === blobType
  const isZlib = zlibHeader.every((byte, index) => head[length + index] === byte)
  length += zlibHeader.length
  const isMarked = ((head[length] ?? 0) & 0x86) === 0x80
  return isBlob && isZlib && isMarked ? { size, length } : undefined
}

/** Groups of a content; an empty one has one, too. */
export function groupsOf(size: number): number {
  return Math.max(1, Math.ceil(size / groupBytes))
}

/** Length of all groups of a content, with the headers of their blocks. */
export function storedLength(size: number): number {
  return size + groupsOf(size) * headersPerGroup
}

/** Where in a group a block's content begins. */
const blockStart = (inGroup: number) => Math.floor(inGroup / blockBytes) * (blockBytes + headerBytes) + headerBytes

/** Length of groups that hold so much of a content of which more will come. */
export function lengthHolding(bytes: number): number {
  const inGroup = bytes % groupBytes
  return Math.floor(bytes / groupBytes) * storedGroupBytes + inGroup + Math.ceil(inGroup / blockBytes) * headerBytes
}

/** How much of the content groups of this length hold, of which more will come. */
export function bytesHeldBy(length: number): number {
  const inGroup = length % storedGroupBytes
  const inBlock = inGroup % (blockBytes + headerBytes)
  return (
    Math.floor(length / storedGroupBytes) * groupBytes +
    Math.floor(inGroup / (blockBytes + headerBytes)) * blockBytes +
    Math.max(0, inBlock - headerBytes)
  )
}

/** Copies content into a group, from this offset in it on, to its places. Returns the number of bytes that it took. */
export function fillGroup(group: Uint8Array, from: number, content: Uint8Array): number {
  const end = Math.min(groupBytes - from, content.length)
  for (let at = 0; at < end; ) {
    const inBlock = (from + at) % blockBytes
    const length = Math.min(blockBytes - inBlock, end - at)
    group.set(content.subarray(at, at + length), blockStart(from + at) + inBlock)
    at += length
  }
  return end
}

/**
 * Writes the headers of a group.
 *
 * @param bytes of content that it has; all, unless it is the last one
 * @returns its length
 */
export function sealGroup(group: Uint8Array, bytes: number, isLast: boolean): number {
  const crc = groupCrc(group, bytes)
  let at = 0
  for (let block = 0; block < blocksPerGroup; block++) {
    const length = blockLength(bytes, block)
    const isEnd = isLast && block === blocksPerGroup - 1
    writeHeader(group, at, { length, byte: headerByte(crc, block, isEnd) })
    at += headerBytes + length
  }
  return at
}

/** Of the content of a block. */
const blockLength = (bytes: number, block: number) => Math.min(blockBytes, Math.max(0, bytes - block * blockBytes))

/** Bit 0: the last block; bits 1 and 2: stored; then the part of the checksum, and a mark of this form. */
const headerByte = (crc: number, block: number, isEnd: boolean) =>
  0x80 | (((crc >>> (block * 4)) & 15) << 3) | (isEnd ? 1 : 0)

function writeHeader(group: Uint8Array, at: number, { length, byte }: { length: number; byte: number }): void {
  group[at] = byte
  group[at + 1] = length & 255
  group[at + 2] = length >>> 8
  group[at + 3] = ~length & 255
  group[at + 4] = (~length >>> 8) & 255
}

function groupCrc(group: Uint8Array, bytes: number): number {
  let crc = 0
  for (let block = 0, at = 0; block * blockBytes < bytes; block++) {
    const length = blockLength(bytes, block)
    crc = crc32(group.subarray(at + headerBytes, at + headerBytes + length), crc)
    at += headerBytes + length
  }
  return crc
}

/**
 * Checks a group and moves its content together, to its beginning.
 *
 * @param bytes of content that it has
 * @returns false where it is not in this form, or damaged
 */
export function openGroup(group: Uint8Array, bytes: number, isLast: boolean): boolean {
  const crc = groupCrc(group, bytes)
  for (let block = 0, at = 0, to = 0; block < blocksPerGroup; block++) {
    const length = blockLength(bytes, block)
    const isEnd = isLast && block === blocksPerGroup - 1
    const isRight =
      group[at] === headerByte(crc, block, isEnd) &&
      ((group[at + 1] ?? 0) | ((group[at + 2] ?? 0) << 8)) === length &&
      ((group[at + 3] ?? 0) | ((group[at + 4] ?? 0) << 8)) === (~length & 0xffff)
    if (!isRight) return false
    group.copyWithin(to, at + headerBytes, at + headerBytes + length)
    at += headerBytes + length
    to += length
  }
  return true
}

/** Calls `visit` with the content of each block of whole groups, or of the last one. */
export function visitBlocks(groups: Uint8Array, bytes: number, visit: (content: Uint8Array) => void): void {
  for (let done = 0; done < bytes; done += blockBytes) {
    const at = Math.floor(done / groupBytes) * storedGroupBytes + blockStart(done % groupBytes)
    visit(groups.subarray(at, at + Math.min(blockBytes, bytes - done)))
  }
}
