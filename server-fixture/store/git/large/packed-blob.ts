/** Reads a blob that lies in a pack in the form of `blob-layout.ts`, from any offset. */
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectFormat } from '../../../../src/git/oid.ts'
import type { ObjectContent } from '../../large-content.ts'
import { isMissing } from '../fsync.ts'
import { damagedObject, storageFailure } from '../git-failure.ts'
import { groupBytes, groupsOf, openGroup, readBlobHead, storedGroupBytes, storedLength } from './blob-layout.ts'
import { findInIndex } from './pack-index.ts'

/** Groups that are read at a time; the next ones are read while the caller has these. */
const groupsAtOnce = 2
/** Type, size, the header of the zlib stream and the first byte of its first block fit this. */
const headBytes = 32

/** Where a blob lies. */
interface Place {
  readonly oid: string
  readonly size: number
  /** Of its groups. */
  readonly start: number
}

/**
 * Opens the blob where a pack has it in this form, as packs of uploads do, and those into which Git copies them.
 *
 * @param directory of packs
 */
export async function openPackedBlob(
  directory: string,
  oid: string,
  format: ObjectFormat
): Promise<ObjectContent | undefined> {
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.idx')) continue
    try {
      const position = await findInIndex(join(directory, name), oid, format)
      const found =
        position === undefined ? undefined : await openAt(join(directory, `${name.slice(0, -4)}.pack`), oid, position)
      if (found) return found
    } catch (error) {
      // The pack has gone: its objects are in another one, or the caller finds them with git.
      if (!isMissing(error)) throw storageFailure('reading a pack', error)
    }
  }
  return undefined
}

async function openAt(pack: string, oid: string, position: number): Promise<PackedBlob | undefined> {
  const file = await open(pack, 'r')
  try {
    const head = (await file.read(Buffer.alloc(headBytes), 0, headBytes, position)).buffer
    const found = readBlobHead(head)
    if (found) return new PackedBlob(file, { oid, size: found.size, start: position + found.length })
  } catch (error) {
    await file.close()
    throw error
  }
  await file.close()
  return undefined
}

class PackedBlob implements ObjectContent {
  readonly kind = 'blob'
  readonly size: number
  readonly #file: FileHandle
  readonly #place: Place

  constructor(file: FileHandle, place: Place) {
    this.#file = file
    this.#place = place
    this.size = place.size
  }

  async *read(start: number, end: number): AsyncIterable<Uint8Array> {
    let ahead = this.#readFrom(start, end)
    for (let at = start; at < end; ) {
      const chunk = await ahead
      at += chunk.length
      if (at < end) {
        ahead = this.#readFrom(at, end)
        // The caller may leave, and does not see that it failed.
        ahead.catch(() => undefined)
      }
      yield chunk
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  /** Reads the groups that hold the bytes from `start` on. */
  async #readFrom(start: number, end: number): Promise<Uint8Array> {
    if (start >= end) return new Uint8Array()
    const { size } = this.#place
    const first = Math.floor(start / groupBytes)
    const last = Math.min(first + groupsAtOnce, groupsOf(end)) - 1
    const position = first * storedGroupBytes
    const length = Math.min(storedLength(size), (last + 1) * storedGroupBytes) - position
    const groups = await this.#readAt(this.#place.start + position, length)
    let bytes = 0
    for (let group = first; group <= last; group++) {
      const from = (group - first) * storedGroupBytes
      const held = Math.min(groupBytes, size - group * groupBytes)
      const isLast = group === groupsOf(size) - 1
      if (!openGroup(groups.subarray(from, from + storedGroupBytes), held, isLast)) throw damagedObject(this.#place.oid)
      groups.copyWithin(bytes, from, from + held)
      bytes += held
    }
    return groups.subarray(start - first * groupBytes, Math.min(bytes, end - first * groupBytes))
  }

  async #readAt(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(length)
    let bytesRead: number
    try {
      bytesRead = (await this.#file.read(buffer, 0, length, position)).bytesRead
    } catch (error) {
      throw storageFailure('reading a pack', error)
    }
    if (bytesRead < length) throw damagedObject(this.#place.oid)
    return buffer
  }
}
