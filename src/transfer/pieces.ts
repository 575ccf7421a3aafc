/** The bytes of a source, piece by piece. */
import { show } from '../core/check-options.ts'
import { BlobwireError } from '../core/error.ts'
import { concat, encodeUtf8 } from '../platform/bytes.ts'
import type { IncrementalHash } from '../platform/platform.ts'
import { afterInput } from '../platform/schedule.ts'
import { type Source, sourceFailed } from './source.ts'

/** Pieces below this size are joined with those that follow at once. */
const joinBytes = 64 * 1024
/** Bytes that are read and hashed before other work gets its turn. */
const turnBytes = 4 * 1024 * 1024
const readBytes = 256 * 1024

export class Pieces {
  readonly #iterator: AsyncIterator<unknown>
  readonly #joinBytes: number
  /** The piece after the one that was read last, where it is asked for already. */
  #ahead: Promise<Uint8Array | undefined> | undefined
  #hasEnded = false

  constructor(source: Source, offset: number, chunkBytes: number) {
    this.#iterator = source.read(offset, chunkBytes)
    this.#joinBytes = source.reads === 'anywhere' ? 0 : Math.min(joinBytes, chunkBytes)
  }

  /** The next bytes; small pieces that come at once are one. Undefined = the end. @throws BlobwireError `source_failed` */
  async next(): Promise<Uint8Array | undefined> {
    let first = await this.#pull()
    while (first?.length === 0) first = await this.#take()
    this.#ahead = undefined
    if (first === undefined || first.length >= this.#joinBytes) return first
    return this.#joined(first)
  }

  /** A slow source is not waited for. */
  async #joined(first: Uint8Array): Promise<Uint8Array> {
    const pieces = [first]
    let bytes = first.length
    const turn = new Promise<typeof late>((resolve) => afterInput(() => resolve(late)))
    while (bytes < this.#joinBytes) {
      const piece = await Promise.race([this.#pull(), turn])
      if (piece === undefined || piece === late) break
      this.#ahead = undefined
      pieces.push(piece)
      bytes += piece.length
    }
    return pieces.length > 1 ? concat(pieces) : first
  }

  /** Ends the source, without waiting for it. */
  close(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    // A generator that is in the middle of something ends behind it.
    new Promise((resolve) => resolve(this.#iterator.return?.())).catch(() => undefined)
  }

  #take(): Promise<Uint8Array | undefined> {
    this.#ahead = undefined
    return this.#pull()
  }

  #pull(): Promise<Uint8Array | undefined> {
    // Its failure is that of the source, though nobody waited for it when it came.
    if (this.#ahead !== undefined) return this.#ahead
    if (this.#hasEnded) return Promise.resolve(undefined)
    this.#ahead = this.#read()
    return this.#ahead
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      const { done, value } = await this.#iterator.next()
      if (!done) return toPiece(value)
      this.#hasEnded = true
      return undefined
    } catch (cause) {
      this.#hasEnded = true
      if (cause instanceof BlobwireError) throw cause
      throw sourceFailed(`the source failed: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
    }
  }
}

const late = Symbol('late')

function toPiece(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return encodeUtf8(value)
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  throw sourceFailed(`the source gave ${show(value)}, where it gives Uint8Arrays or strings`)
}

/** The content, where it is small enough for a message; else the source, which goes on behind the bytes that were read. */
export async function readBeginning(
  source: Source,
  size: number | undefined,
  maxBytes: number
): Promise<Uint8Array | Source> {
  if (size !== undefined && size > maxBytes) return source
  const pieces = new Pieces(source, 0, Math.max(1, maxBytes))
  const read: Uint8Array[] = []
  let bytes = 0
  for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
    read.push(piece)
    bytes += piece.length
    if (bytes > (size ?? maxBytes)) break
  }
  if (size !== undefined && bytes !== size) throw wrongSize(bytes, size)
  if (bytes > maxBytes) return behind(source, read, pieces)
  return read.length === 1 ? (read[0] as Uint8Array) : concat(read)
}

/** The source of which these pieces were read. */
function behind(source: Source, read: readonly Uint8Array[], pieces: Pieces): Source {
  let isFirst = true
  async function* rest() {
    try {
      yield* read
      for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) yield piece
    } finally {
      pieces.close()
    }
  }
  return {
    ...source,
    read(offset, chunkBytes) {
      if (!isFirst) return source.read(offset, chunkBytes)
      isFirst = false
      return rest()
    }
  }
}

/** Reads the whole source, and returns its size. @throws BlobwireError */
export async function readAll(source: Source, hash?: IncrementalHash): Promise<number> {
  const pieces = new Pieces(source, 0, readBytes)
  let bytes = 0
  let turn = turnBytes
  try {
    for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
      hash?.update(piece)
      bytes += piece.length
      if (bytes < turn) continue
      turn = bytes + turnBytes
      await new Promise<void>((resolve) => afterInput(resolve))
    }
  } finally {
    pieces.close()
  }
  if (source.size !== undefined && bytes !== source.size) throw wrongSize(bytes, source.size)
  return bytes
}

/** A source with another size than it had, or than was told. */
export function wrongSize(bytes: number, size: number): BlobwireError {
  const message =
    bytes > size
      ? `the source has more than the ${size} bytes of its size`
      : `the source ended after ${bytes} of the ${size} bytes of its size`
  return sourceFailed(message)
}
