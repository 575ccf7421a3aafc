/** Receives a range of a blob, over as many attempts as it takes: each goes on at the byte at which the last one ended. */
import { encodeHex, toNative } from '../platform/bytes.ts'
import { newHash } from '../platform/hash.ts'
import type { IncrementalHash } from '../platform/platform.ts'
import type { IncomingBlob } from '../transport/transfer.ts'
import { type BlobSource, contentMismatch } from './blob-source.ts'
import type { ChunkQueue } from './chunk-queue.ts'
import { openBlob } from './open-blob.ts'
import { type KnownRange, type Range, rangeWithin } from './range.ts'
import type { TransferAttempt } from './transfer.ts'

/** A slow disk. */
const serverBytesPerMs = 50_000

interface Receiving {
  readonly queue: ChunkQueue
  /** Whether the server's digest has to be that of the bytes, asked once the size of the blob is known. */
  readonly hasDigest: (size: number) => boolean
}

/** A range on its way. */
export class RangeReceiver {
  readonly #source: BlobSource
  readonly #asked: Range
  readonly #receiving: Receiving
  /** Known with the first answer, as is whether there is a digest. */
  #range: KnownRange | undefined
  #hash: IncrementalHash | undefined
  /** Where the next byte belongs. */
  #position: number

  constructor(source: BlobSource, range: Range, receiving: Receiving) {
    this.#source = source
    this.#asked = range
    this.#position = range.start
    this.#receiving = receiving
  }

  /** One attempt, which resolves when the range is complete. @throws BlobwireError */
  async receive(attempt: TransferAttempt): Promise<void> {
    let from = this.#position
    if (from === this.#range?.end) {
      if (this.#hash === undefined || from === this.#asked.start) return
      // The last attempt broke off before the digest came, which follows the last byte.
      from--
    }
    const incoming = await this.#open(attempt, from)
    this.#source.take(incoming)
    this.#begin(incoming.size)
    await this.#takeChunks(attempt, incoming, this.#position - from)
    this.#check(incoming.sha256)
  }

  #open(attempt: TransferAttempt, offset: number): Promise<IncomingBlob> {
    const { start } = this.#asked
    const end = this.#range?.end ?? this.#asked.end
    const digestFrom = this.#hash === undefined || offset === start ? undefined : start
    // The server reads what the digest has before the first byte.
    if (digestFrom !== undefined) attempt.allow((offset - digestFrom) / serverBytesPerMs)
    return openBlob(attempt, {
      ...this.#source.address,
      offset,
      length: end === undefined || end === this.#source.found?.size ? undefined : end - offset,
      digestFrom
    })
  }

  #begin(size: number): void {
    if (this.#range !== undefined) return
    this.#range = rangeWithin(this.#asked, size)
    if (this.#receiving.hasDigest(size)) this.#hash = newHash('sha256')
  }

  /** The first bytes may be known: `toSkip` of them. */
  async #takeChunks(attempt: TransferAttempt, { chunks }: IncomingBlob, toSkip: number): Promise<void> {
    const { end } = this.#range as KnownRange
    let known = toSkip
    for await (const chunk of chunks) {
      // An attempt that was given up may still bring bytes, which the next one brings again.
      attempt.signal.throwIfAborted()
      attempt.moved(chunk.length)
      const next = known > 0 ? chunk.subarray(known) : chunk
      known = Math.max(0, known - chunk.length)
      if (next.length === 0) continue
      if (this.#position + next.length > end) throw contentMismatch(`the server sent more than ${this}`)
      this.#position += next.length
      this.#hash?.update(next)
      attempt.progressed()
      const wait = this.#receiving.queue.put(next)
      if (wait === undefined) continue
      await attempt.idle(wait)
      attempt.signal.throwIfAborted()
    }
    attempt.signal.throwIfAborted()
    if (this.#position === end) return
    throw contentMismatch(`the server sent less than ${this}: it ended at byte ${this.#position}`)
  }

  #check(sha256: Uint8Array | undefined): void {
    const { start, end } = this.#range as KnownRange
    if (this.#hash === undefined || start === end) return
    if (sha256 === undefined) {
      throw contentMismatch(`the server sent no digest of ${this}; a client with verify: false does without`)
    }
    const computed = encodeHex(toNative(this.#hash.digest()))
    const told = encodeHex(toNative(sha256))
    if (computed !== told) throw contentMismatch(`${this}: expected the digest ${told}, got ${computed}`)
  }

  /** The range, for messages. */
  toString(): string {
    const { start, end } = this.#range ?? this.#asked
    return `bytes ${start} to ${end} of blob ${this.#source.found?.oid}`
  }
}
