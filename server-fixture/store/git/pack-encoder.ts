/** Encodes packs. Source: gitformat-pack(5). */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { deflate, deflateSync } from 'node:zlib'
import type { ObjectFormat, ObjectKind } from '../../../src/git/oid.ts'
import type { NewObject } from '../store.ts'

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

const deflateAsync = promisify(deflate) as (content: Uint8Array, options: { level: number }) => Promise<Buffer>

/**
 * Encodes whole objects as a pack of version 2, without deltas, as `git index-pack --stdin` reads it. The pack ends with
 * the hash that names it.
 */
export async function encodePack(objects: readonly NewObject[], format: ObjectFormat): Promise<Buffer> {
  const large = await deflateLarge(objects)
  const header = Buffer.alloc(12)
  header.write('PACK', 'latin1')
  header.writeUInt32BE(2, 4)
  header.writeUInt32BE(objects.length, 8)
  const chunks: Uint8Array[] = [header]
  for (const object of objects) {
    const { kind, content } = object
    const head = entryHeader(typeNumbers[kind], content.length)
    if (content.length < storedBelowBytes) chunks.push(storedEntry(head, content))
    else chunks.push(head, large.get(object) ?? deflateSync(content, { level }))
  }
  const body = Buffer.concat(chunks)
  return Buffer.concat([body, createHash(format).update(body).digest()])
}

async function deflateLarge(objects: readonly NewObject[]): Promise<Map<NewObject, Buffer>> {
  const deflated = new Map<NewObject, Buffer>()
  const large = objects.filter((object) => object.content.length >= threadedFromBytes)
  await Promise.all(large.map(async (object) => deflated.set(object, await deflateAsync(object.content, { level }))))
  return deflated
}

/** Type in three bits and size in 4 + 7 + 7 + … bits, lowest first; sizes reach beyond 32 bits, so no shifts. */
function entryHeader(type: number, size: number): Uint8Array {
  const bytes: number[] = []
  let byte = (type << 4) | (size % 16)
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(byte | 0x80)
    byte = rest % 128
  }
  bytes.push(byte)
  return Uint8Array.from(bytes)
}

/** A zlib stream of one stored block (RFC 1950 section 2.2, RFC 1951 section 3.2.4) behind the entry's header. */
function storedEntry(head: Uint8Array, content: Uint8Array): Uint8Array {
  const length = content.length
  const entry = Buffer.allocUnsafe(head.length + 7 + length + 4)
  entry.set(head)
  let at = head.length
  entry[at++] = 0x78
  entry[at++] = 0x01
  entry[at++] = 1
  at = entry.writeUInt16LE(length, at)
  at = entry.writeUInt16LE(length ^ 0xffff, at)
  entry.set(content, at)
  entry.writeUInt32BE(adler32(content), at + length)
  return entry
}

/** RFC 1950 section 8.2. Below 256 bytes neither sum can pass 2^32, so one modulo at the end is enough. */
function adler32(content: Uint8Array): number {
  let low = 1
  let high = 0
  for (const byte of content) {
    low += byte
    high += low
  }
  return (high % 65521) * 65536 + (low % 65521)
}
