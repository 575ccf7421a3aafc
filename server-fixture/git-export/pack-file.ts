/** Writes one pack of any size into a file, with as many objects as come. Source: gitformat-pack(5). */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createDeflate } from 'node:zlib'
import type { ObjectFormat, ObjectKind } from '../../src/git/oid.ts'
import { deflatedEntries, entryHeader, packHeader } from '../store/git/pack-encoder.ts'
import type { ObjectContent } from '../store/large-content.ts'
import type { NewObject } from '../store/store.ts'

/** Entries are gathered up to this size before they are written. */
const writeBytes = 1024 * 1024
/** Packs are written once; housekeeping may compress them better. */
const level = 1

/** A pack that is being written. Calls must not overlap. */
export class PackFile {
  readonly #file: FileHandle
  readonly #format: ObjectFormat
  #pieces: Uint8Array[] = []
  #pieceBytes = 0
  #objects = 0
  readonly #signal: AbortSignal | undefined

  private constructor(file: FileHandle, format: ObjectFormat, signal: AbortSignal | undefined) {
    this.#file = file
    this.#format = format
    this.#signal = signal
  }

  /** @param signal makes the methods throw its reason */
  static async create(path: string, format: ObjectFormat, signal?: AbortSignal): Promise<PackFile> {
    const pack = new PackFile(await open(path, 'wx+'), format, signal)
    pack.#pieces.push(packHeader(0))
    return pack
  }

  /** Objects so far. */
  get objects(): number {
    return this.#objects
  }

  async add(objects: readonly NewObject[]): Promise<void> {
    this.#objects += objects.length
    for (const piece of await deflatedEntries(objects)) await this.#write(piece)
  }

  /** Takes over a zlib stream as it is. */
  async addDeflated(kind: ObjectKind, size: number, deflated: Uint8Array): Promise<void> {
    this.#objects++
    await this.#write(entryHeader(kind, size))
    await this.#write(deflated)
  }

  /** Holds a few chunks of the content at a time. */
  async addLarge(content: ObjectContent): Promise<void> {
    this.#objects++
    await this.#write(entryHeader(content.kind, content.size))
    await pipeline(content.read(0, content.size), createDeflate({ level }), async (deflated) => {
      for await (const chunk of deflated) await this.#write(chunk as Buffer)
    })
  }

  /** Completes the pack, durably. Returns the hash that it ends with. */
  async finish(): Promise<string> {
    await this.#flush()
    await this.#file.write(packHeader(this.#objects), 0, 12, 0)
    const hash = createHash(this.#format)
    const chunk = Buffer.allocUnsafe(writeBytes)
    let at = 0
    for (;;) {
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, at)
      if (bytesRead === 0) break
      hash.update(chunk.subarray(0, bytesRead))
      at += bytesRead
    }
    const trailer = hash.digest()
    await this.#file.write(trailer, 0, trailer.length, at)
    await this.#file.sync()
    return trailer.toString('hex')
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #write(piece: Uint8Array): Promise<void> {
    this.#signal?.throwIfAborted()
    this.#pieces.push(piece)
    this.#pieceBytes += piece.length
    if (this.#pieceBytes >= writeBytes) await this.#flush()
  }

  async #flush(): Promise<void> {
    const pieces = this.#pieces
    this.#pieces = []
    this.#pieceBytes = 0
    for (let rest: Uint8Array[] = pieces; rest.length > 0; ) {
      const { bytesWritten } = await this.#file.writev(rest)
      rest = unwritten(rest, bytesWritten)
    }
  }
}

/** The pieces without their first bytes: a write may take a part of them. */
function unwritten(pieces: readonly Uint8Array[], written: number): Uint8Array[] {
  let skip = written
  const rest: Uint8Array[] = []
  for (const piece of pieces) {
    if (skip < piece.length) rest.push(piece.subarray(skip))
    skip = Math.max(0, skip - piece.length)
  }
  return rest
}
