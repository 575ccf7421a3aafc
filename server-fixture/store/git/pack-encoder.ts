/** Encodes packs. Source: gitformat-pack(5). */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { deflate, deflateSync } from 'node:zlib'
import type { ObjectFormat, ObjectKind } from '../../../src/git/oid.ts'
import type { NewObject } from '../store.ts'
import { adler32 } from './large/adler32.ts'

/** From "Object types". */
const typeNumbers: Readonly<Record<ObjectKind, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 }

/**
 * Deflate saves next to nothing below this, and setting it up costs 20 us an object: measured, half of a pack's time.
 */
const storedBelowBytes = 256
/** Larger contents are deflated on libuv's threads, so that a batch of large files does not stop the event loop. */
const threadedFromBytes = 16 * 1024
/** Level 1: packs are written once and rarely kept as they are; higher levels cost 2-5 times the time. */
const level = 1
/**
 * The contents of a larger pack are stored as they are, until housekeeping joins it with others: deflate takes longer than
 * all else that is done for a large commit (docs/performance.md).
 */
const storedFromPackBytes = 1024 * 1024
/** Bytes that are stored in one turn of the event loop: some two milliseconds. */
const turnBytes = 1024 * 1024

const deflateAsync = promisify(deflate) as (content: Uint8Array, options: { level: number }) => Promise<Buffer>

/** A pack in pieces. */
export interface EncodedPack {
  readonly pieces: readonly Uint8Array[]
  /** The hash that the pack ends with, and that names it. */
  readonly hash: string
  /** Its contents are not compressed, though they may have been worth it. */
  readonly isStored: boolean
}

/** Encodes whole objects as a pack of version 2, without deltas, as `git index-pack --stdin` reads it. */
export async function encodePack(objects: readonly NewObject[], format: ObjectFormat): Promise<EncodedPack> {
  const header = packHeader(objects.length)
  const isStored = objects.reduce((sum, { content }) => sum + content.length, 0) >= storedFromPackBytes
  const entries = isStored ? await storedEntries(objects) : await deflatedEntries(objects)
  const hash = createHash(format)
  const pieces = [header, ...entries]
  for (const piece of pieces) hash.update(piece)
  const trailer = hash.digest()
  pieces.push(trailer)
  return { pieces, hash: trailer.toString('hex'), isStored }
}

/** The header of a pack of version 2. */
export function packHeader(objects: number): Buffer {
  const header = Buffer.alloc(12)
  header.write('PACK', 'latin1')
  header.writeUInt32BE(2, 4)
  header.writeUInt32BE(objects, 8)
  return header
}

/** The entries of a pack, deflated, in pieces. */
export async function deflatedEntries(objects: readonly NewObject[]): Promise<Buffer[]> {
  const large = await deflateLarge(objects)
  const entries: Uint8Array[] = []
  for (const object of objects) {
    const { content } = object
    const head = entryHeader(object.kind, content.length)
    if (content.length >= storedBelowBytes) entries.push(head, large.get(object) ?? deflateSync(content, { level }))
    else {
      const entry = Buffer.allocUnsafe(head.length + storedLength(content))
      entry.set(head)
      writeStored(entry, head.length, content)
      entries.push(entry)
    }
  }
  return [Buffer.concat(entries)]
}

async function deflateLarge(objects: readonly NewObject[]): Promise<Map<NewObject, Buffer>> {
  const deflated = new Map<NewObject, Buffer>()
  const large = objects.filter((object) => object.content.length >= threadedFromBytes)
  await Promise.all(large.map(async (object) => deflated.set(object, await deflateAsync(object.content, { level }))))
  return deflated
}

/** In pieces of about `turnBytes`, one a turn. */
async function storedEntries(objects: readonly NewObject[]): Promise<Buffer[]> {
  const pieces: Buffer[] = []
  for (let from = 0; from < objects.length; ) {
    let bytes = 0
    let to = from
    const heads: Uint8Array[] = []
    for (; to < objects.length && bytes < turnBytes; to++) {
      const object = objects[to] as NewObject
      const head = entryHeader(object.kind, object.content.length)
      heads.push(head)
      bytes += head.length + storedLength(object.content)
    }
    const piece = Buffer.allocUnsafeSlow(bytes)
    let at = 0
    for (const [index, head] of heads.entries()) {
      piece.set(head, at)
      at = writeStored(piece, at + head.length, (objects[from + index] as NewObject).content)
    }
    pieces.push(piece)
    from = to
    await setImmediate()
  }
  return pieces
}

/** Type in three bits and size in 4 + 7 + 7 + … bits, lowest first; sizes reach beyond 32 bits, so no shifts. */
export function entryHeader(kind: ObjectKind, size: number): Uint8Array {
  const bytes: number[] = []
  let byte = (typeNumbers[kind] << 4) | (size % 16)
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(byte | 0x80)
    byte = rest % 128
  }
  bytes.push(byte)
  return Uint8Array.from(bytes)
}

/** Most bytes of one stored block (RFC 1951 section 3.2.4). */
const maxBlockBytes = 65_535

const storedLength = ({ length }: Uint8Array) => 2 + 5 * Math.max(1, Math.ceil(length / maxBlockBytes)) + length + 4

/** Writes a zlib stream of stored blocks (RFC 1950 section 2.2). Returns the position behind it. */
function writeStored(target: Buffer, start: number, content: Uint8Array): number {
  let at = start
  target[at++] = 0x78
  target[at++] = 0x01
  for (let from = 0; ; ) {
    const length = Math.min(maxBlockBytes, content.length - from)
    const isLast = from + length === content.length
    target[at++] = isLast ? 1 : 0
    at = target.writeUInt16LE(length, at)
    at = target.writeUInt16LE(length ^ 0xffff, at)
    target.set(isLast && from === 0 ? content : content.subarray(from, from + length), at)
    at += length
    from += length
    if (isLast) return target.writeUInt32BE(adler32(content, 1), at)
  }
}
