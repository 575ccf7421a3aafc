/**
 * Reads a source at the offsets that a server asks for: forward, and back where an attempt was cut. Each byte is hashed
 * once, when it is first read.
 */
import { BlobwireError } from '../core/error.ts'
import { concat } from '../platform/bytes.ts'
import type { IncrementalHash } from '../platform/platform.ts'
import { Pieces, wrongSize } from './pieces.ts'
import type { Source } from './source.ts'

/** Of pieces of a few bytes, those that are kept are joined: each array takes a hundred bytes besides. */
const smallBytes = 4096

export interface SourceReaderOptions {
  readonly chunkBytes: number
  /** Bytes of a source that reads once that are kept, so that a cut upload can go on from there. */
  readonly keptBytes: number
  /** Of the whole content, in bytes; undefined = known at the end of the source. */
  readonly size: number | undefined
  /** Hashes all bytes, in order; undefined = the hash is known. */
  readonly hash: IncrementalHash | undefined
}

export class SourceReader {
  readonly #source: Source
  readonly #options: SourceReaderOptions
  #pieces: Pieces | undefined
  /** The bytes that are kept: from `#start` up to `#end`, where the source goes on. */
  readonly #kept: Uint8Array[] = []
  #start = 0
  #end = 0
  #hashedTo = 0
  /** The server holds these bytes: of a plain stream, the others are kept whatever they take. */
  confirmedTo = 0
  #isDone = false
  #isClosed = false
  /** Counts the times that the reader has gone back: whoever waits for a later position then waits in vain. */
  #round = 0
  /** The piece that is being read; attempts that were cut wait for the same. */
  #reading: Promise<void> | undefined

  constructor(source: Source, options: SourceReaderOptions) {
    this.#source = source
    this.#options = options
  }

  /** The source cannot be read again: how far the server has got decides about the bytes that are kept. */
  get readsOnce(): boolean {
    return this.#source.reads === 'once'
  }

  /** Bytes of the whole content, once the end was read. */
  get size(): number | undefined {
    return this.#options.size ?? (this.#isDone ? this.#end : undefined)
  }

  /**
   * The piece that begins at `position`; undefined = the content ends there.
   * @throws BlobwireError `source_failed`, and `source_used_up` where the source cannot go back there
   */
  async at(position: number): Promise<Uint8Array | undefined> {
    if (position < this.#start) this.#rewind(position)
    this.#forget(position)
    const round = this.#round
    while (this.#end <= position && !this.#isDone) {
      if (this.#isClosed || round !== this.#round) throw left()
      await this.#readOn(position)
    }
    return this.#piece(position)
  }

  #readOn(position: number): Promise<void> {
    if (this.#reading !== undefined) return this.#reading
    const reading = this.#read(position).finally(() => {
      if (this.#reading === reading) this.#reading = undefined
    })
    this.#reading = reading
    return reading
  }

  /** Ends the source, without waiting for it. */
  close(): void {
    this.#isClosed = true
    this.#kept.length = 0
    this.#pieces?.close()
    this.#pieces = undefined
    this.#source.close().catch(() => undefined)
  }

  #piece(position: number): Uint8Array | undefined {
    // From the end, where it mostly is.
    let start = this.#end
    for (let index = this.#kept.length - 1; index >= 0; index--) {
      const piece = this.#kept[index] as Uint8Array
      start -= piece.length
      const at = position - start
      if (at < 0) continue
      const length = Math.min(piece.length - at, this.#options.chunkBytes)
      if (length <= 0) return undefined
      return length === piece.length ? piece : piece.subarray(at, at + length)
    }
    return undefined
  }

  /** Lets go of bytes that nobody will ask for. */
  #forget(position: number): void {
    const until = this.readsOnce ? Math.min(position, this.confirmedTo) : position
    const most = this.readsOnce ? this.#options.keptBytes : 0
    for (;;) {
      const [first] = this.#kept
      if (first === undefined || this.#start + first.length > until || this.#end - this.#start <= most) return
      this.#kept.shift()
      this.#start += first.length
    }
  }

  #rewind(position: number): void {
    if (this.readsOnce) throw usedUp(position, this.#start)
    this.#round++
    this.#pieces?.close()
    this.#pieces = undefined
    this.#reading = undefined
    this.#kept.length = 0
    this.#isDone = false
    // What was not hashed yet must not be skipped.
    const isAnywhere = this.#source.reads === 'anywhere'
    this.#start = isAnywhere ? this.#firstNeeded(position) : 0
    this.#end = this.#start
  }

  #firstNeeded(position: number): number {
    return this.#options.hash === undefined ? position : Math.min(position, this.#hashedTo)
  }

  /** Reads the next piece, to be at `position` some time. */
  async #read(position: number): Promise<void> {
    if (this.#pieces === undefined) {
      if (this.#end === 0 && this.#source.reads === 'anywhere') {
        this.#start = this.#firstNeeded(position)
        this.#end = this.#start
      }
      this.#pieces = new Pieces(this.#source, this.#end, this.#options.chunkBytes)
    }
    const pieces = this.#pieces
    const piece = await pieces.next()
    // The reader has gone back in the meantime.
    if (pieces !== this.#pieces) return
    if (piece === undefined) return this.#ended()
    this.#take(piece)
    this.#forget(position)
  }

  #take(piece: Uint8Array): void {
    const { size, hash } = this.#options
    const end = this.#end + piece.length
    if (size !== undefined && end > size) throw wrongSize(end, size)
    if (end > this.#hashedTo) {
      hash?.update(this.#end < this.#hashedTo ? piece.subarray(this.#hashedTo - this.#end) : piece)
      this.#hashedTo = end
    }
    const last = this.#kept.at(-1)
    const most = Math.min(smallBytes, this.#options.keptBytes / 4)
    if (last !== undefined && last.length + piece.length <= most) this.#kept.splice(-1, 1, concat([last, piece]))
    else this.#kept.push(piece)
    this.#end = end
  }

  #ended(): void {
    const { size } = this.#options
    if (size !== undefined && this.#end < size) throw wrongSize(this.#end, size)
    this.#isDone = true
  }
}

/** The error of a wait for bytes that nobody needs any more. */
function left(): BlobwireError {
  return new BlobwireError({ code: 'cancelled', message: 'the attempt was given up' })
}

function usedUp(position: number, start: number): BlobwireError {
  const message =
    `the upload was cut, and would go on at byte ${position} of a stream of which the bytes before ${start} are gone; ` +
    'give a function that returns a fresh stream, or a file, so that it can be read again'
  return new BlobwireError({ reason: 'source_used_up', message })
}
