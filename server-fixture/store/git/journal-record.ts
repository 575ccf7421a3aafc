/** The records of a journal's segments, as they are on disk, and what a whole segment holds. */
import { crc32 } from 'node:zlib'
import { BlobwireError } from '../../../src/core/error.ts'

/** Length of the text and CRC-32 of everything after it, 4 bytes each; the time in milliseconds, 8 bytes; the text. */
export const headerBytes = 16
const crcStart = 8
/** The place of a record: the number of its segment, times this, and its offset. */
export const placeUnit = 2 ** 32

/** A file of records. */
export interface Segment {
  readonly number: number
  firstAt: number
  lastAt: number
  size: number
}

/** The name of a segment's file. */
export const fileName = (number: number) => String(number).padStart(10, '0')

/** The bytes of a record with its time. */
export function encode(text: string, at: number): Buffer {
  const length = Buffer.byteLength(text)
  const bytes = Buffer.allocUnsafe(headerBytes + length)
  bytes.writeUInt32BE(length, 0)
  bytes.writeDoubleBE(at, crcStart)
  bytes.write(text, headerBytes)
  bytes.writeUInt32BE(crc32(bytes.subarray(crcStart)), 4)
  return bytes
}

/** The record at an offset; undefined = it is cut off, or none. */
export function decode(bytes: Buffer, offset: number): { text: string; at: number; end: number } | undefined {
  if (offset + headerBytes > bytes.length) return undefined
  const end = offset + headerBytes + bytes.readUInt32BE(offset)
  if (end > bytes.length) return undefined
  if (crc32(bytes.subarray(offset + crcStart, end)) !== bytes.readUInt32BE(offset + 4)) return undefined
  const at = bytes.readDoubleBE(offset + crcStart)
  return { text: bytes.toString('utf8', offset + headerBytes, end), at, end }
}

/** The size of the segment is the end of its last whole record. @throws BlobwireError where a record is no record of ours */
export function readSegment(number: number, bytes: Buffer, onRecord: (text: string, place: number) => void): Segment {
  const segment = { number, firstAt: Number.POSITIVE_INFINITY, lastAt: 0, size: 0 }
  for (let record = decode(bytes, 0); record; record = decode(bytes, record.end)) {
    try {
      onRecord(record.text, number * placeUnit + segment.size)
    } catch (cause) {
      throw damaged(number, segment.size, cause)
    }
    segment.firstAt = Math.min(segment.firstAt, record.at)
    segment.lastAt = Math.max(segment.lastAt, record.at)
    segment.size = record.end
  }
  return segment
}

/** The error for a bad record. The message may reach a client: it has no path. */
export function damaged(segment: number, at: number, cause?: unknown): BlobwireError {
  const message = `the journal of request keys is damaged: segment ${fileName(segment)}, at byte ${at}`
  return new BlobwireError({ reason: 'journal_damaged', message, cause })
}
