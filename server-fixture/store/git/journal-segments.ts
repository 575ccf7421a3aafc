/** The append-only files of a journal: records with a time and a checksum, in segments that are removed when they are old. */
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, readFile, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BlobwireError } from '../../../src/core/error.ts'
import type { StoreSteps } from '../vitals.ts'
import { fsyncDirectory, fsyncUpTo, isMissing } from './fsync.ts'
import { storageFailure } from './git-failure.ts'
import {
  damaged,
  decode,
  encode,
  fileName,
  headerBytes,
  placeUnit,
  readSegment,
  type Segment
} from './journal-record.ts'

/** When a segment ends, and how long it is kept. */
export interface SegmentOptions {
  readonly maxBytes: number
  readonly maxAgeMs: number
  /** Counted from the last record of a segment. */
  readonly keepMs: number
  readonly now: () => number
  /** Told how long writing and syncing take. */
  readonly steps: StoreSteps
}

interface PendingRecord {
  readonly text: string
  /** Undefined where nobody waits. */
  readonly written: PromiseWithResolvers<number> | undefined
}

/**
 * Records that are on disk when `append` resolves. Records of concurrent calls share one write and one fdatasync (group
 * commit). A crash can tear the end of the last segment alone, because a segment is synced before the next one begins:
 * records that were cut off there were never acknowledged. A bad record anywhere else is damage.
 */
export class JournalSegments {
  readonly #directory: string
  readonly #options: SegmentOptions
  readonly #segments: Segment[]
  #handle: FileHandle | undefined
  #queue: PendingRecord[] = []
  /** Resolves with an error that kept records from the disk. */
  #writing: Promise<BlobwireError | undefined> | undefined
  /** A write failed, and could not be taken back. */
  #broken: unknown

  private constructor(directory: string, options: SegmentOptions, segments: Segment[]) {
    this.#directory = directory
    this.#options = options
    this.#segments = segments
  }

  /**
   * Opens the directory, which is created where it is missing, removes old segments and cuts off a torn end.
   *
   * @param onRecord called with each record and its place, in the order in which they were written
   * @throws BlobwireError `journal_damaged` where a segment is damaged; `storage` where the files cannot be used
   */
  static async open(
    directory: string,
    options: SegmentOptions,
    onRecord: (text: string, place: number) => void
  ): Promise<JournalSegments> {
    try {
      await mkdir(directory, { recursive: true })
      // Also where all is there: a server may have been killed before it had synced a name.
      await fsyncUpTo([directory], dirname(directory))
      const numbers = (await readdir(directory)).filter((name) => /^\d{10}$/.test(name)).map(Number)
      const segments: Segment[] = []
      for (const number of numbers.toSorted((left, right) => left - right)) {
        const bytes = await readFile(join(directory, fileName(number)))
        const segment = readSegment(number, bytes, onRecord)
        segments.push(segment)
        if (segment.size === bytes.length) continue
        if (number !== Math.max(...numbers)) throw damaged(number, segment.size)
        await truncate(join(directory, fileName(number)), segment.size)
      }
      return new JournalSegments(directory, options, segments)
    } catch (error) {
      throw error instanceof BlobwireError ? error : storageFailure('opening the journal of request keys', error)
    }
  }

  /** The number of the segment of a place. */
  static segmentOf(place: number): number {
    return Math.floor(place / placeUnit)
  }

  /** Resolves with the place of each record when they are on disk, after everything that was given before. */
  append(texts: readonly string[]): Promise<number[]> {
    const pending = texts.map((text) => ({ text, written: Promise.withResolvers<number>() }))
    this.#queue.push(...pending)
    this.#write()
    return Promise.all(pending.map(({ written }) => written.promise))
  }

  /** Writes the record with the next ones. */
  appendLater(text: string): void {
    this.#queue.push({ text, written: undefined })
  }

  /** Resolves when everything that was given before is on disk. */
  async flush(): Promise<void> {
    while (this.#queue.length > 0 || this.#writing) {
      this.#write()
      const failure = await this.#writing
      if (failure) throw failure
    }
  }

  /**
   * The text of the record at a place; undefined = it is there no longer.
   * @throws BlobwireError `journal_damaged`, because a key without its record would be carried out again
   */
  async read(place: number): Promise<string | undefined> {
    const segment = this.#segments.find(({ number }) => number === JournalSegments.segmentOf(place))
    if (!segment) return undefined
    let handle: FileHandle | undefined
    try {
      handle = await open(join(this.#directory, fileName(segment.number)), 'r')
      const offset = place % placeUnit
      const { buffer: header } = await handle.read(Buffer.alloc(headerBytes), 0, headerBytes, offset)
      const length = headerBytes + header.readUInt32BE(0)
      if (offset + length > segment.size) throw damaged(segment.number, offset)
      const bytes = Buffer.alloc(length)
      await handle.read(bytes, 0, bytes.length, offset)
      const record = decode(bytes, 0)
      if (record === undefined) throw damaged(segment.number, offset)
      return record.text
    } catch (error) {
      // It was removed in between: its keys had expired.
      if (isMissing(error)) return undefined
      throw error instanceof BlobwireError ? error : storageFailure('reading the journal of request keys', error)
    } finally {
      await handle?.close()
    }
  }

  /**
   * Removes segments whose last record is older than they are kept.
   *
   * @param needed the number of the first segment that is needed all the same
   * @param isSpare whether a segment is needed no longer, although it is young
   * @returns the number of the first segment that is left
   */
  async removeOld(needed: number, isSpare: (segment: number) => boolean = () => false): Promise<number> {
    const before = this.#options.now() - this.#options.keepMs
    for (;;) {
      const [first, second] = this.#segments
      // The last one is being written.
      if (!first || !second || first.number >= needed) return first?.number ?? 0
      if (first.lastAt >= before && !isSpare(first.number)) return first.number
      this.#segments.shift()
      await unlink(join(this.#directory, fileName(first.number)))
    }
  }

  /** Bytes on disk. */
  get size(): number {
    return this.#segments.reduce((sum, { size }) => sum + size, 0)
  }

  async close(): Promise<void> {
    await this.flush().catch(() => {})
    await this.#handle?.close()
  }

  #write(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
    })
  }

  async #writeAll(): Promise<BlobwireError | undefined> {
    // Records that are given in this turn of the event loop are written together.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const batch = this.#queue
      this.#queue = []
      try {
        const places = await this.#writeBatch(batch.map(({ text }) => text))
        batch.forEach(({ written }, index) => {
          written?.resolve(places[index] as number)
        })
      } catch (error) {
        const failure = storageFailure('writing the journal of request keys', error)
        for (const { written } of batch) written?.reject(failure)
        this.#queue.unshift(...batch.filter(({ written }) => !written))
        // Somebody may have begun to wait meanwhile.
        if (this.#queue.every(({ written }) => !written)) return failure
      }
    }
    return undefined
  }

  async #writeBatch(texts: readonly string[]): Promise<number[]> {
    if (this.#broken) throw this.#broken
    const now = this.#options.now()
    const segment = await this.#segmentToWrite(now)
    const records = texts.map((text) => encode(text, now))
    let offset = segment.size
    const places = records.map((record) => {
      const place = segment.number * placeUnit + offset
      offset += record.length
      return place
    })
    const handle = this.#handle as FileHandle
    const startMs = performance.now()
    try {
      await writeAll(handle, Buffer.concat(records), segment.size)
      await handle.datasync()
    } catch (error) {
      // After a failed sync nobody knows which bytes are on disk (fsync(2)): they are taken back, or nothing goes on.
      await truncateHandle(handle, segment.size).catch((failure: unknown) => {
        this.#broken = failure
      })
      throw error
    }
    this.#options.steps.journal.observe(performance.now() - startMs)
    segment.size = offset
    segment.firstAt = Math.min(segment.firstAt, now)
    segment.lastAt = Math.max(segment.lastAt, now)
    return places
  }

  async #segmentToWrite(now: number): Promise<Segment> {
    const last = this.#segments.at(-1)
    const { maxBytes, maxAgeMs } = this.#options
    if (last && last.size < maxBytes && now - last.firstAt < maxAgeMs) {
      this.#handle ??= await open(join(this.#directory, fileName(last.number)), 'r+')
      return last
    }
    const segment = { number: (last?.number ?? 0) + 1, firstAt: now, lastAt: now, size: 0 }
    const flags = constants.O_CREAT | constants.O_TRUNC | constants.O_RDWR
    const handle = await open(join(this.#directory, fileName(segment.number)), flags)
    await fsyncDirectory(this.#directory)
    await this.#handle?.close()
    this.#handle = handle
    this.#segments.push(segment)
    return segment
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten
  }
}

async function truncate(path: string, size: number): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    await truncateHandle(handle, size)
  } finally {
    await handle.close()
  }
}

async function truncateHandle(handle: FileHandle, size: number): Promise<void> {
  await handle.truncate(size)
  await handle.datasync()
}
