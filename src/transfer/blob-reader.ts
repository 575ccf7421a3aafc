/** Reads a blob, or a range of it, in order: as one stream, or in parts of which several come at the same time. */
import { newObjectHash } from '../git/oid.ts'
import { encodeHex, toNative } from '../platform/bytes.ts'
import type { IncrementalHash } from '../platform/platform.ts'
import { type BlobSource, contentMismatch } from './blob-source.ts'
import { ChunkQueue } from './chunk-queue.ts'
import { isWhole, type Range, rangeWithin } from './range.ts'
import { RangeReceiver } from './range-receiver.ts'
import type { Transfer } from './transfer.ts'
import type { TransferRunner } from './transfer-runner.ts'

const maxPartBytes = 4 * 1024 * 1024
/** Bytes that all parts together may hold for the reader. */
const maxHeldBytes = 16 * 1024 * 1024

export interface BlobReading {
  readonly runner: Pick<TransferRunner, 'run'>
  /** Asked for each part: all have the deadline of the whole. */
  readonly transfer: () => Transfer
  readonly source: BlobSource
  readonly range: Range
  /** Parts that come at the same time; 1 = the range is one stream. */
  readonly parallel: number
  /** Whether the bytes are held against the oid, or the digest of their range. */
  readonly verify: boolean
}

export class BlobReader {
  readonly #reading: BlobReading
  readonly #partBytes: number
  /** Under way, in order; the first one is read. */
  readonly #parts: ChunkQueue[] = []
  /** Where the next part begins. */
  #next: number
  #hash: IncrementalHash | undefined

  constructor(reading: BlobReading) {
    const { range, parallel } = reading
    this.#reading = reading
    this.#next = range.start
    this.#partBytes = parallel === 1 ? Number.POSITIVE_INFINITY : Math.min(maxPartBytes, maxHeldBytes / parallel)
  }

  /** The next bytes; undefined = the end, if all were the right ones. @throws BlobwireError */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      this.#beginParts()
      const [part] = this.#parts
      const chunk = await part?.take()
      if (chunk !== undefined) {
        this.#hashOf()?.update(chunk)
        return chunk
      }
      if (part === undefined) return this.#checkOid()
      this.#parts.shift()
    }
  }

  /** The first part goes alone: its answer tells where the last one ends. */
  #beginParts(): void {
    const { source, range, parallel } = this.#reading
    if (source.found === undefined) {
      if (this.#parts.length === 0) this.#begin(this.#endOfPart(range.end))
      return
    }
    const { end } = rangeWithin(range, source.found.size)
    while (this.#parts.length < parallel && this.#next < end) this.#begin(this.#endOfPart(end))
  }

  #endOfPart(end = Number.POSITIVE_INFINITY): number {
    return Math.min(this.#next + this.#partBytes, end)
  }

  #begin(end: number): void {
    const { runner, transfer, source, range, verify } = this.#reading
    const part = { start: this.#next, end: end === Number.POSITIVE_INFINITY ? undefined : end }
    const isStream = this.#partBytes === Number.POSITIVE_INFINITY
    const queue = new ChunkQueue(isStream ? 0 : this.#partBytes)
    const hasDigest = (size: number) => verify && !isWhole(range, size)
    const receiver = new RangeReceiver(source, part, { queue, hasDigest })
    this.#next = end
    this.#parts.push(queue)
    runner
      .run(transfer(), (attempt) => receiver.receive(attempt))
      .then(
        () => queue.end(),
        (error) => queue.end(error)
      )
  }

  /** The hash of the whole blob; of a range, the parts have digests. */
  #hashOf(): IncrementalHash | undefined {
    const { source, range, verify } = this.#reading
    if (this.#hash !== undefined || !verify || source.found === undefined) return this.#hash
    const { oid, size } = source.found
    if (isWhole(range, size)) this.#hash = newObjectHash('blob', size, oid.length === 40 ? 'sha1' : 'sha256')
    return this.#hash
  }

  #checkOid(): undefined {
    const hash = this.#hashOf()
    if (hash === undefined) return
    const oid = encodeHex(toNative(hash.digest()))
    const { found } = this.#reading.source
    if (oid !== found?.oid) throw contentMismatch(`the bytes of blob ${found?.oid} hash to ${oid}`)
  }
}
