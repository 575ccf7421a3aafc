/** The checksums of a pack with one large blob, made of the file as it grows. */
import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { ObjectFormat } from '../../../../src/git/oid.ts'
import { adler32 } from './adler32.ts'
import { groupBytes, groupsOf, packHeader, storedGroupBytes, storedLength, visitBlocks } from './blob-layout.ts'

/** A pack that is being written. */
export interface GrowingPack {
  readonly path: string
  readonly format: ObjectFormat
  /** Where the groups begin. */
  readonly groupsStart: number
}

/** The checksums of a whole pack. */
export interface PackChecksums {
  /** Of the content, the end of its zlib stream. */
  readonly adler: number
  /** Of the object's bytes in the pack, for the index. */
  readonly crc: number
  /** Of the pack, its end. */
  readonly checksum: Uint8Array
}

/** Groups that are read at a time: 1 MiB. */
const groupsAtOnce = 8

/** Reads a pack from its beginning, a step at a time, so that others have their turn. */
export class PackDigester {
  readonly #file: number
  readonly #pack: GrowingPack
  readonly #hash: Hash
  readonly #buffer = Buffer.allocUnsafe(groupsAtOnce * storedGroupBytes)
  #adler = 1
  #crc = 0
  #groups = 0

  constructor(pack: GrowingPack) {
    this.#pack = pack
    this.#hash = createHash(pack.format)
    this.#file = openSync(pack.path, 'r')
  }

  /** Takes some of the whole groups up to this number. Returns false where there are no more. */
  step(groups: number): boolean {
    const count = Math.min(groupsAtOnce, groups - this.#groups)
    if (count <= 0) return false
    this.#take(count * storedGroupBytes, count * groupBytes)
    this.#groups += count
    return true
  }

  /** Takes the last group, when `step` has taken those before it. */
  finish(size: number): PackChecksums {
    const before = groupsOf(size) - 1
    this.#take(storedLength(size) - before * storedGroupBytes, size - before * groupBytes)
    const end = Buffer.alloc(4)
    end.writeUInt32BE(this.#adler)
    this.#hash.update(end)
    return { adler: this.#adler, crc: crc32(end, this.#crc), checksum: this.#hash.digest() }
  }

  close(): void {
    closeSync(this.#file)
  }

  #take(length: number, bytes: number): void {
    const { groupsStart } = this.#pack
    if (this.#groups === 0) {
      const head = this.#read(0, groupsStart)
      this.#hash.update(head)
      this.#crc = crc32(head.subarray(packHeader.length))
    }
    const groups = this.#read(groupsStart + this.#groups * storedGroupBytes, length)
    this.#hash.update(groups)
    this.#crc = crc32(groups, this.#crc)
    visitBlocks(groups, bytes, (content) => {
      this.#adler = adler32(content, this.#adler)
    })
  }

  #read(position: number, length: number): Buffer {
    const got = readSync(this.#file, this.#buffer, 0, length, position)
    if (got < length) throw new Error('the pack is shorter than it was written')
    return this.#buffer.subarray(0, length)
  }
}
