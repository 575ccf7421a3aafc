/** Uploads, the same for every store: one writer each, hashing, the quota, and removal when nobody goes on. */
import { type Clock, systemClock } from '../../../src/core/clock.ts'
import { BlobwireError, invalidArgument } from '../../../src/core/error.ts'
import { defaultLimits } from '../../../src/schema/default-limits.ts'
import type { UploadFigures } from '../../metrics/snapshot.ts'
import type { UploadBounds, UploadState, UploadWriter } from '../large-content.ts'
import { ContentHasher } from './content-hasher.ts'
import { placeOf, type Removal, type Spool, type SpoolStore, type UploadRecord } from './spool.ts'
import { SpoolWriter } from './spool-writer.ts'
import { UploadQuota } from './upload-quota.ts'

/** Hashes of uploads that nobody writes at present are kept for so many. */
const maxKeptHashers = 1000
/** Abandoned uploads are looked for this often, or twice in the time that they are kept. */
const maxSweepMs = 10 * 60_000

export class Uploads {
  readonly #spools: SpoolStore
  readonly #clock: Clock
  #bounds: UploadBounds = defaultLimits
  readonly #quota = new UploadQuota()
  /** By place, as all maps here. */
  readonly #writers = new Map<string, SpoolWriter>()
  readonly #hashers = new Map<string, ContentHasher>()
  /** The last work on an upload: opening, cancelling and removing happen one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>()
  #loaded: Promise<void> | undefined
  #sweeping: Promise<void> | undefined
  #cancelSweep: (() => void) | undefined
  /** In a store of several servers. */
  #countedAtMs = Number.NEGATIVE_INFINITY
  #cancelRecount: (() => void) | undefined
  #isClosed = false

  constructor(spools: SpoolStore, clock: Clock = systemClock) {
    this.#spools = spools
    this.#clock = clock
  }

  /** See `LargeContentStore.boundUploads`. Uploads that were abandoned before the server started are removed. */
  bound(bounds: UploadBounds): void {
    this.#bounds = bounds
    this.#quota.maxBytes = bounds.maxUploadBytes
    this.#load().catch(() => this.#scheduleSweep())
  }

  /** Bytes of all uploads that are not complete. */
  get heldBytes(): number {
    return this.#quota.heldBytes
  }

  /** For metrics. */
  figures(): UploadFigures {
    return this.#quota.figures()
  }

  /** See `LargeContentStore.openUpload`. */
  async open(repository: string, id: string, size: number | undefined): Promise<UploadWriter> {
    await this.#load()
    const place = placeOf(repository, id)
    return this.#inTurn(place, async () => {
      await this.#writers.get(place)?.end(takenOver(id))
      if (this.#isClosed) throw closing()
      const record = await this.#spools.find(repository, id)
      if (record) checkSize(size, record)
      else {
        await this.#recount()
        this.#quota.checkNew()
      }
      this.#scheduleSweep()
      const spool = await this.#spools.open(repository, id, size)
      return this.#write(spool, { repository, id, size })
    })
  }

  /** See `LargeContentStore.uploadState`. */
  async state(repository: string, id: string): Promise<UploadState | undefined> {
    const record = await this.#spools.find(repository, id)
    return record && { size: record.size, offset: record.offset, blob: record.blob }
  }

  /** See `LargeContentStore.cancelUpload`. */
  async cancel(repository: string, id: string): Promise<boolean> {
    await this.#load()
    const place = placeOf(repository, id)
    return this.#inTurn(place, async () => {
      const writer = this.#writers.get(place)
      if (writer && writer.blob === undefined) await writer.end(gone(id, 'was cancelled'))
      const record = await this.#spools.find(repository, id)
      return record !== undefined && record.blob === undefined && this.#remove(record, { isIncomplete: true })
    })
  }

  /** Ends the writers of a repository that was removed, with its spools. */
  async forget(repository: string): Promise<void> {
    const prefix = placeOf(repository, '')
    const reason = new BlobwireError({ reason: 'repository', message: `repository ${repository} was deleted` })
    await Promise.allSettled([this.#loaded])
    const places = [...this.#turns.keys(), ...this.#writers.keys(), ...this.#hashers.keys(), ...this.#quota.places()]
    await this.#endAll(new Set(places.filter((place) => place.startsWith(prefix))), reason)
    for (const place of places) if (place.startsWith(prefix)) this.#drop(place)
  }

  /** Lets go of all uploads, which keep what they have. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelSweep?.()
    this.#cancelRecount?.()
    const places = new Set([...this.#turns.keys(), ...this.#writers.keys()])
    await Promise.allSettled([this.#loaded, this.#sweeping, this.#endAll(places, closing())])
  }

  /** Ends the writers at these places, those that are being opened, too. */
  async #endAll(places: ReadonlySet<string>, reason: BlobwireError): Promise<void> {
    const end = async (place: string) => this.#writers.get(place)?.end(reason)
    await Promise.allSettled(Array.from(places, (place) => this.#inTurn(place, () => end(place))))
  }

  async #write(
    spool: Spool,
    { repository, id, size }: { repository: string; id: string; size: number | undefined }
  ): Promise<SpoolWriter> {
    const place = placeOf(repository, id)
    let hasher = this.#hashers.get(place)
    this.#hashers.delete(place)
    if (!hasher?.fits(spool)) {
      const { identity, objectFormat, size: begun } = spool
      hasher = new ContentHasher({ identity, objectFormat, size: begun })
      try {
        if (spool.blob === undefined && spool.offset > 0) await hasher.updateAll(this.#untilClosed(spool.read()))
      } catch (error) {
        await spool.close()
        throw error
      }
    }
    if (spool.blob === undefined) this.#quota.set(place, spool.offset)
    const writer = new SpoolWriter({
      place,
      spool,
      size,
      hasher,
      quota: this.#quota,
      maxBlobBytes: this.#bounds.maxBlobBytes,
      remove: () => this.#spools.remove(repository, id, { identity: spool.identity }),
      onEnd: (goingOn) => {
        if (this.#writers.get(place) === writer) this.#writers.delete(place)
        if (goingOn) this.#keep(place, goingOn)
      }
    })
    this.#writers.set(place, writer)
    this.#scheduleRecount()
    return writer
  }

  /** The chunks, of which there may be many. */
  async *#untilClosed(chunks: ReturnType<Spool['read']>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      if (this.#isClosed) throw closing()
      yield chunk
    }
  }

  #keep(place: string, hasher: ContentHasher): void {
    this.#hashers.set(place, hasher)
    const [oldest] = this.#hashers.keys()
    if (this.#hashers.size > maxKeptHashers && oldest !== undefined) this.#hashers.delete(oldest)
  }

  #load(): Promise<void> {
    this.#loaded ??= this.#isShared ? this.#recount().then(() => this.#scheduleSweep(0)) : this.#count()
    return this.#loaded.catch((error) => {
      this.#loaded = undefined
      throw error
    })
  }

  /** Other servers have uploads in the store, too, and remove those that nobody goes on with. */
  get #isShared(): boolean {
    return this.#spools.recountMs !== undefined
  }

  /** What other servers have counts, too. Where the store cannot tell it, what it told the last time holds. */
  async #recount(): Promise<void> {
    const { recountMs } = this.#spools
    const now = this.#clock.now()
    if (recountMs === undefined || now < this.#countedAtMs + recountMs) return
    this.#countedAtMs = now
    const records = await this.#spools.list().catch(() => undefined)
    if (records === undefined || this.#isClosed) return
    const held = records.map(({ repository, id, offset }) => [placeOf(repository, id), offset] as const)
    this.#quota.recount(held, (place) => this.#writers.has(place))
  }

  #scheduleRecount(): void {
    const { recountMs } = this.#spools
    if (recountMs === undefined || this.#isClosed || this.#writers.size === 0) return
    this.#cancelRecount ??= this.#clock.schedule(recountMs, () => {
      this.#cancelRecount = undefined
      void this.#recount().then(() => this.#scheduleRecount())
    })
  }

  #scheduleSweep(delayMs = Math.min(maxSweepMs, this.#bounds.uploadIdleSeconds * 500)): void {
    if (this.#isClosed) return
    this.#cancelSweep ??= this.#clock.schedule(delayMs, () => {
      this.#cancelSweep = undefined
      // Listing failed: the next time.
      this.#sweeping = this.#sweep().catch(() => this.#scheduleSweep())
    })
  }

  /** Before the first upload is opened: counts those that are there. */
  async #count(): Promise<void> {
    const records = await this.#spools.list(this.#bounds.uploadIdleSeconds)
    for (const { repository, id, offset, blob } of records) {
      if (blob === undefined) this.#quota.set(placeOf(repository, id), offset)
    }
    await this.#removeOld(records)
  }

  async #sweep(): Promise<void> {
    await this.#removeOld(await this.#spools.list(this.#bounds.uploadIdleSeconds))
  }

  /** Removes uploads that nobody goes on with, and remembered blobs that are old. */
  async #removeOld(records: readonly UploadRecord[]): Promise<void> {
    const oldestMs = this.#clock.wallTimeMs() - this.#bounds.uploadIdleSeconds * 1000
    let left = 0
    for (const record of records) {
      const place = placeOf(record.repository, record.id)
      if (this.#isClosed) return
      const isOld = record.changedAtMs < oldestMs
      // One that cannot be removed is looked at the next time, and keeps no other one.
      if (isOld && (await this.#inTurn(place, () => this.#removeIdle(record, oldestMs)).catch(() => false))) continue
      left++
    }
    if (left > 0 || this.#isShared) this.#scheduleSweep()
  }

  /** False = it has a writer, or somebody went on with it since it was listed. */
  async #removeIdle({ repository, id }: UploadRecord, oldestMs: number): Promise<boolean> {
    if (this.#writers.has(placeOf(repository, id))) return false
    const record = await this.#spools.find(repository, id).catch(() => undefined)
    if (record && record.changedAtMs >= oldestMs) return false
    return record === undefined || this.#remove(record, { idleSeconds: this.#bounds.uploadIdleSeconds })
  }

  async #remove({ repository, id }: UploadRecord, removal: Removal): Promise<boolean> {
    const isRemoved = await this.#spools.remove(repository, id, removal)
    this.#drop(placeOf(repository, id))
    return isRemoved
  }

  #drop(place: string): void {
    this.#hashers.delete(place)
    this.#quota.delete(place)
  }

  #inTurn<Result>(place: string, work: () => Promise<Result>): Promise<Result> {
    const result = (this.#turns.get(place) ?? Promise.resolve()).then(work)
    const settled = () => {
      if (this.#turns.get(place) === last) this.#turns.delete(place)
    }
    const last: Promise<void> = result.then(settled, settled)
    this.#turns.set(place, last)
    return result
  }
}

/** @throws `invalid_argument` where the upload cannot have this size */
function checkSize(size: number | undefined, { size: begun, offset, blob }: UploadRecord): void {
  const known = blob?.size ?? begun
  if (size === undefined || size === known) return
  if (known !== undefined) throw invalidArgument('size', `is ${size}, but the upload was begun with ${known}`)
  if (offset > size) throw invalidArgument('size', `is ${size}, but the upload holds ${offset} bytes already`)
}

function closing(): BlobwireError {
  return new BlobwireError({ reason: 'store_closed', message: 'the server is shutting down' })
}

function takenOver(id: string): BlobwireError {
  return new BlobwireError({ reason: 'upload_taken_over', message: `another stream goes on with the upload ${id}` })
}

function gone(id: string, why: string): BlobwireError {
  return new BlobwireError({ reason: 'upload', message: `the upload ${id} ${why}` })
}
