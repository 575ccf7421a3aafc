/** The file of an upload: a pack that grows. It is written in whole groups, one write while the next ones gather. */
import { type FileHandle, open } from 'node:fs/promises'
import type { ObjectFormat } from '../../../../src/git/oid.ts'
import {
  bytesHeldBy,
  fillGroup,
  groupBytes,
  groupsOf,
  lengthHolding,
  objectHeader,
  packHeader,
  paddedObjectHeader,
  sealGroup,
  storedGroupBytes,
  storedLength,
  visitBlocks,
  zlibHeader
} from './blob-layout.ts'
import type { GrowingPack, PackChecksums } from './pack-digester.ts'

/** Groups of one write. There are two buffers of so many. */
const bufferGroups = 2

/** What the file is of. */
export interface SpoolFileForm {
  readonly path: string
  readonly format: ObjectFormat
  /** Of the content; undefined = known at the end alone. */
  readonly size: number | undefined
}

/** A method is called when the one before has settled. After an error, the file has to be opened again. */
export class SpoolFile {
  readonly pack: GrowingPack
  readonly #file: FileHandle
  readonly #size: number | undefined
  #buffer: Buffer = Buffer.allocUnsafe(bufferGroups * storedGroupBytes)
  #spare: Buffer | undefined
  /** Where in the content `#buffer` begins: at a group. */
  #start: number
  /** Bytes of content in `#buffer`. */
  #filled = 0
  #settled: number
  #writing: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  private constructor(file: FileHandle, form: SpoolFileForm, offset: number) {
    this.#file = file
    this.#size = form.size
    const groupsStart = packHeader.length + objectHeader(form.size).length + zlibHeader.length
    this.pack = { path: form.path, format: form.format, groupsStart }
    this.#start = offset - (offset % groupBytes)
    this.#settled = this.#start
  }

  /** Bytes of content that a file of this length holds. */
  static bytesIn(length: number, size: number | undefined): number {
    const groupsStart = packHeader.length + objectHeader(size).length + zlibHeader.length
    return bytesHeldBy(Math.max(0, length - groupsStart))
  }

  /** Opens the file, or creates it, with the content up to this offset; anything behind it is cut off. */
  static async open(form: SpoolFileForm, offset: number): Promise<SpoolFile> {
    const handle = await open(form.path, offset > 0 ? 'r+' : 'w+')
    const file = new SpoolFile(handle, form, offset)
    try {
      await file.#begin(offset)
      return file
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Bytes taken. */
  get offset(): number {
    return this.#start + this.#filled
  }

  /** Bytes of content that are in the file and will not change there: whole groups. */
  get settled(): number {
    return this.#settled
  }

  /** Takes bytes; undefined = at once. */
  append(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#failure) return Promise.reject(this.#failure.error)
    const at = this.#fill(chunk, 0)
    if (at === chunk.length && !this.#isFull) return undefined
    if (this.#writing) return this.#appendRest(chunk, at)
    this.#startWriting()
    return at < chunk.length ? this.#appendRest(chunk, at) : undefined
  }

  async #appendRest(chunk: Uint8Array, from: number): Promise<void> {
    for (let at = from; ; ) {
      at += this.#fill(chunk, at)
      if (!this.#isFull) return
      await this.#written()
      this.#startWriting()
      if (at === chunk.length) return
    }
  }

  get #isFull(): boolean {
    return this.#filled === bufferGroups * groupBytes
  }

  /** Returns the number of bytes that fit the buffer. */
  #fill(chunk: Uint8Array, from: number): number {
    let at = from
    while (at < chunk.length && !this.#isFull) {
      const taken = fillGroup(this.#group(), this.#filled % groupBytes, chunk.subarray(at))
      this.#filled += taken
      at += taken
    }
    return at - from
  }

  /** The group in the buffer that is being filled. */
  #group(): Buffer {
    return this.#buffer.subarray(Math.floor(this.#filled / groupBytes) * storedGroupBytes)
  }

  /** Writes the full buffer, and goes on with the other one. */
  #startWriting(): void {
    const full = this.#buffer
    const start = this.#start
    this.#buffer = this.#spare ?? Buffer.allocUnsafe(full.length)
    this.#spare = full
    this.#start += this.#filled
    this.#filled = 0
    for (let group = 0; group < bufferGroups; group++) {
      const isLast = this.#size === start + (group + 1) * groupBytes
      sealGroup(full.subarray(group * storedGroupBytes, (group + 1) * storedGroupBytes), groupBytes, isLast)
    }
    this.#writing = this.#write(full, this.#positionOf(start)).then(
      () => {
        this.#settled = start + bufferGroups * groupBytes
        this.#writing = undefined
      },
      (error: unknown) => {
        this.#failure = { error }
        this.#writing = undefined
      }
    )
  }

  async #written(): Promise<void> {
    await this.#writing
    if (this.#failure) throw this.#failure.error
  }

  /** Has everything that was taken in the file. */
  async flush(): Promise<void> {
    await this.#written()
    await this.#writeBuffer(undefined)
  }

  /** Cuts off what is behind this offset, as before the file is opened again with it. */
  async cutOff(offset: number): Promise<void> {
    await this.#writing
    await this.#file.truncate(this.pack.groupsStart + lengthHolding(offset))
  }

  /** Has what was written on disk. */
  async sync(): Promise<void> {
    await this.#file.datasync()
  }

  /** Writes the end of the content, of which no more will come, with the size where it was not known. */
  async complete(): Promise<void> {
    await this.#written()
    const size = this.offset
    // The last group is in the file already where the content ends with a group.
    if (this.#filled === 0 && size > 0) await this.#reload(size - groupBytes)
    await this.#writeBuffer(size)
    const position = packHeader.length
    if (this.#size === undefined) await this.#write(paddedObjectHeader(size), position)
  }

  /** Writes the end of the pack. */
  async seal({ adler, checksum }: PackChecksums): Promise<void> {
    const end = Buffer.alloc(4 + checksum.length)
    end.writeUInt32BE(adler)
    end.set(checksum, 4)
    await this.#write(end, this.pack.groupsStart + storedLength(this.offset))
  }

  /** The content, from its beginning. */
  async *read(): AsyncIterable<Uint8Array> {
    await this.flush()
    const end = this.offset
    const buffer = Buffer.allocUnsafe(8 * storedGroupBytes)
    for (let offset = 0; offset < end; offset += 8 * groupBytes) {
      const bytes = Math.min(8 * groupBytes, end - offset)
      const length = lengthHolding(bytes)
      const { bytesRead } = await this.#file.read(buffer, 0, length, this.#positionOf(offset))
      if (bytesRead < length) throw new Error('the file of an upload is cut off')
      const blocks: Uint8Array[] = []
      visitBlocks(buffer, bytes, (block) => blocks.push(block))
      yield* blocks
    }
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#file.close()
  }

  async #begin(offset: number): Promise<void> {
    if (offset === 0) {
      await this.#write(Buffer.concat([packHeader, objectHeader(this.#size), zlibHeader]), 0)
      return
    }
    await this.cutOff(offset)
    await this.#reload(this.#start, offset)
  }

  /** Has the buffer hold what is in the file from this group on. */
  async #reload(start: number, end = start + groupBytes): Promise<void> {
    const length = lengthHolding(end - start)
    const { bytesRead } = await this.#file.read(this.#buffer, 0, length, this.#positionOf(start))
    if (bytesRead < length) throw new Error('the file of an upload is cut off')
    this.#start = start
    this.#filled = end - start
  }

  /**
   * Writes the buffer, which goes on to be filled.
   *
   * @param size of the whole content, where it is complete
   */
  async #writeBuffer(size: number | undefined): Promise<void> {
    let length = 0
    for (let from = 0; from < this.#filled || (size === 0 && from === 0); from += groupBytes) {
      const bytes = Math.min(groupBytes, this.#filled - from)
      const isLast = size !== undefined && groupsOf(size) === (this.#start + from) / groupBytes + 1
      const sealed = sealGroup(this.#buffer.subarray(length, length + storedGroupBytes), bytes, isLast)
      length += size === undefined && bytes < groupBytes ? lengthHolding(bytes) : sealed
    }
    if (length > 0) await this.#write(this.#buffer.subarray(0, length), this.#positionOf(this.#start))
  }

  #positionOf(start: number): number {
    return this.pack.groupsStart + (start / groupBytes) * storedGroupBytes
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    const { bytesWritten } = await this.#file.write(bytes, 0, bytes.length, position)
    if (bytesWritten === bytes.length) return
    // A full disk may take a part without an error; the rest then tells.
    if (bytesWritten === 0) throw Object.assign(new Error('nothing was written'), { code: 'ENOSPC' })
    await this.#write(bytes.subarray(bytesWritten), position + bytesWritten)
  }
}
