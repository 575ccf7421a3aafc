/** Takes blobs out of packs as Git has them there, deflated. Source: gitformat-pack(5). */
import { close, fstat, open, read } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { type ObjectFormat, oidLength } from '../../../src/git/oid.ts'
import type { DeflatedBlob } from '../store.ts'

const openFile = promisify(open)
const closeFile = promisify(close)
const statFile = promisify(fstat)
const readFileAt = promisify(read)

const magic = 0xff744f63
const oidsPosition = 8 + 256 * 4
/** Entries of one read, with at most so much between them that nobody wants. */
const maxRunBytes = 1024 * 1024
const maxGapBytes = 4096
const blobType = 3

/** An entry that is wanted: its place in the list of those asked for, and in the pack. */
interface Wanted {
  readonly index: number
  readonly start: number
  readonly end: number
}

/** One pack that is open, with its index in memory. */
export class PackEntries {
  readonly #descriptor: number
  readonly #index: Buffer
  readonly #oidBytes: number
  readonly #count: number
  /** Where entries begin, in order, and where the last one ends. */
  readonly #starts: Float64Array

  private constructor(
    descriptor: number,
    index: Buffer,
    { oidBytes, packBytes }: { oidBytes: number; packBytes: number }
  ) {
    this.#descriptor = descriptor
    this.#index = index
    this.#oidBytes = oidBytes
    this.#count = index.readUInt32BE(oidsPosition - 4)
    this.#starts = new Float64Array(this.#count + 1)
    for (let at = 0; at < this.#count; at++) this.#starts[at] = this.#startOf(at)
    this.#starts[this.#count] = packBytes - oidBytes
    this.#starts.sort()
  }

  /**
   * Undefined = its index has another form, or places behind 2 GiB, or the pack is cut off.
   *
   * @param path of the pack, without its extension
   */
  static async open(path: string, format: ObjectFormat): Promise<PackEntries | undefined> {
    const index = await readFile(`${path}.idx`)
    const oidBytes = oidLength(format) / 2
    if (index.length < oidsPosition || index.readUInt32BE(0) !== magic || index.readUInt32BE(4) !== 2) return undefined
    const count = index.readUInt32BE(oidsPosition - 4)
    if (index.length !== oidsPosition + count * (oidBytes + 8) + 2 * oidBytes) return undefined
    const descriptor = await openFile(`${path}.pack`, 'r')
    const { size: packBytes } = await statFile(descriptor)
    const end = Buffer.alloc(oidBytes)
    const { bytesRead } = await readFileAt(descriptor, end, 0, oidBytes, Math.max(0, packBytes - oidBytes))
    // The index repeats the hash with which its pack ends.
    if (bytesRead < oidBytes || !end.equals(index.subarray(-2 * oidBytes, -oidBytes))) {
      await closeFile(descriptor)
      return undefined
    }
    return new PackEntries(descriptor, index, { oidBytes, packBytes })
  }

  /** Bytes in memory. */
  get bytes(): number {
    return this.#index.length + this.#starts.byteLength
  }

  async close(): Promise<void> {
    await closeFile(this.#descriptor)
  }

  /** Fills in the blobs that lie here whole, not as deltas, up to `maxBytes` of content. */
  async fill(oids: readonly string[], found: (DeflatedBlob | undefined)[], maxBytes: number): Promise<void> {
    const wanted: Wanted[] = []
    for (const [index, oid] of oids.entries()) {
      if (found[index] !== undefined) continue
      const at = this.#find(Buffer.from(oid, 'hex'))
      if (at === undefined) continue
      const start = this.#startOf(at)
      const end = this.#endOf(start)
      if (end - start <= maxDeflatedBytes(maxBytes)) wanted.push({ index, start, end })
    }
    wanted.sort((one, other) => one.start - other.start)
    await Promise.all(runsOf(wanted).map((run) => this.#read(run, found, maxBytes)))
  }

  async #read(run: readonly Wanted[], found: (DeflatedBlob | undefined)[], maxBytes: number): Promise<void> {
    const from = run[0]?.start ?? 0
    const length = (run.at(-1)?.end ?? from) - from
    const { bytesRead, buffer } = await readFileAt(this.#descriptor, Buffer.allocUnsafeSlow(length), 0, length, from)
    if (bytesRead < length) return
    for (const { index, start, end } of run) {
      found[index] = blobIn(buffer.subarray(start - from, end - from), maxBytes)
    }
  }

  /** The number of the object in the index. */
  #find(oid: Buffer): number | undefined {
    const first = oid[0] ?? 0
    let low = first === 0 ? 0 : this.#index.readUInt32BE(8 + (first - 1) * 4)
    let high = this.#index.readUInt32BE(8 + first * 4)
    while (low < high) {
      const middle = (low + high) >>> 1
      const at = oidsPosition + middle * this.#oidBytes
      const order = oid.compare(this.#index, at, at + this.#oidBytes)
      if (order === 0) return middle
      if (order < 0) high = middle
      else low = middle + 1
    }
    return undefined
  }

  #startOf(object: number): number {
    return this.#index.readUInt32BE(oidsPosition + this.#count * (this.#oidBytes + 4) + object * 4)
  }

  #endOf(start: number): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#starts[middle] as number) <= start) low = middle + 1
      else high = middle
    }
    return this.#starts[low] as number
  }
}

/** In runs that are read at once. */
function runsOf(wanted: readonly Wanted[]): Wanted[][] {
  const runs: Wanted[][] = []
  let run: Wanted[] = []
  for (const entry of wanted) {
    const [first] = run
    const last = run.at(-1)
    const joins = first && last && entry.start - last.end <= maxGapBytes && entry.end - first.start <= maxRunBytes
    if (joins) run.push(entry)
    else {
      run = [entry]
      runs.push(run)
    }
  }
  return runs
}

/** What does not deflate becomes longer by five bytes in 16 KiB and a few more; header of the entry included. */
const maxDeflatedBytes = (bytes: number) => bytes + Math.ceil(bytes / 1024) + 64

/** Type in three bits and size in 4 + 7 + 7 + … bits, lowest first; then the zlib stream. */
function blobIn(entry: Buffer, maxBytes: number): DeflatedBlob | undefined {
  let at = 0
  let byte = entry[at++] ?? 0
  if (((byte >> 4) & 7) !== blobType) return undefined
  let size = byte & 15
  for (let unit = 16; byte & 0x80; unit *= 128) {
    byte = entry[at++] ?? 0
    size += (byte & 0x7f) * unit
  }
  return size > maxBytes ? undefined : { size, deflated: entry.subarray(at) }
}
