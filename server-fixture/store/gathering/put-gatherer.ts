/** Gathers concurrent writes of objects into packs. */
import { BlobwireError } from '../../../src/core/error.ts'
import type { NewObject } from '../store.ts'

/** The objects that one `put` still has to write. */
interface PendingPut {
  readonly objects: readonly NewObject[]
  readonly bytes: number
  readonly done: PromiseWithResolvers<void>
}

/** Writes objects durably as one pack; with `expectMore` another pack is likely to follow at once. */
type Install = (objects: readonly NewObject[], expectMore: boolean) => Promise<void>

interface PutGathererOptions {
  /**
   * Packs written at the same time.
   *
   * @default 1
   */
  readonly runsInFlight?: number
  /**
   * Called before an object counts as stored because it was written before; calls `forget` where that is in doubt.
   *
   * @default does nothing
   */
  readonly confirm?: () => void
  /**
   * Objects count as stored because they were written before for this long.
   *
   * @default 3_600_000
   */
  readonly maxRecentMs?: number
  /**
   * Oids remembered as written; their objects are not written again.
   *
   * @default 50_000
   */
  readonly maxRecentOids?: number
  /**
   * A put of an object that is being written waits for that write. False = it is written again: others may have removed
   * what was written before its answer came, and before the put.
   *
   * @default true
   */
  readonly joinsWrites?: boolean
}

/** Most bytes of one pack; a larger put makes a pack of its own. */
const maxPackBytes = 16 * 1024 * 1024
/** Where so much waits, another pack is encoded while git works on the one before. */
const bulkBytes = 4 * 1024 * 1024
const maxPackObjects = 10_000

/**
 * Group commit: while one pack is being written, puts gather for the next one, so that many small puts share one git
 * process and one set of fsyncs. A put resolves when the packs with its objects are durable.
 */
export class PutGatherer {
  readonly #install: Install
  readonly #runsInFlight: number
  readonly #confirm: () => void
  readonly #maxRecentMs: number
  readonly #maxRecentOids: number
  readonly #joinsWrites: boolean
  readonly #recent = new Set<string>()
  /** When the first of them was written. */
  #recentSince = 0
  /** Objects that wait and, perhaps, are being written: a second put of one waits for the first. */
  readonly #pending = new Map<string, PendingPut>()
  #queue: PendingPut[] = []
  #queuedBytes = 0
  #runs = 0
  #scheduled = false
  #idle: PromiseWithResolvers<void> | undefined

  /**
   * @param install writes objects durably as one pack, and rejects with a `BlobwireError`
   */
  constructor(install: Install, options: PutGathererOptions = {}) {
    this.#install = install
    this.#runsInFlight = options.runsInFlight ?? 1
    this.#confirm = options.confirm ?? (() => undefined)
    this.#maxRecentMs = options.maxRecentMs ?? 3_600_000
    this.#maxRecentOids = options.maxRecentOids ?? 50_000
    this.#joinsWrites = options.joinsWrites ?? true
  }

  /** What was written is written again when it is put again. */
  forget(): void {
    this.#recent.clear()
  }

  /** @throws the error of `install` for a pack that held an object of this put */
  async put(objects: readonly NewObject[]): Promise<void> {
    const waitFor = new Set<PendingPut>()
    const fresh: NewObject[] = []
    const put: PendingPut = { objects: fresh, bytes: 0, done: Promise.withResolvers() }
    let bytes = 0
    let recent: NewObject[] | undefined
    for (const object of objects) {
      if (this.#recent.has(object.oid)) {
        recent ??= []
        recent.push(object)
        continue
      }
      const earlier = this.#pending.get(object.oid)
      if (earlier) {
        if (earlier !== put) waitFor.add(earlier)
        continue
      }
      this.#pending.set(object.oid, put)
      fresh.push(object)
      bytes += object.content.length
    }
    if (fresh.length > 0) {
      waitFor.add(put)
      this.#queue.push(Object.assign(put, { bytes }))
      this.#queuedBytes += bytes
      this.#schedule()
    }
    const written = Promise.all(Array.from(waitFor, ({ done }) => done.promise))
    await (recent ? Promise.all([written, this.#putAgain(recent)]) : written)
  }

  /** Writes those of these objects that may have gone since they were written. */
  async #putAgain(objects: readonly NewObject[]): Promise<void> {
    if (performance.now() > this.#recentSince + this.#maxRecentMs) this.forget()
    this.#confirm()
    const gone = objects.filter(({ oid }) => !this.#recent.has(oid))
    if (gone.length > 0) await this.put(gone)
  }

  /** Nothing is queued or being written. */
  get isIdle(): boolean {
    return this.#runs === 0 && this.#queue.length === 0
  }

  /** Waits until nothing is queued or being written. */
  async drain(): Promise<void> {
    if (this.isIdle) return
    this.#idle ??= Promise.withResolvers()
    await this.#idle.promise
  }

  /** Waits for the end of this turn of the event loop, so that puts that arrive together are written together. */
  #schedule(): void {
    const mostRuns = this.#queuedBytes >= bulkBytes ? this.#runsInFlight + 1 : this.#runsInFlight
    if (this.#scheduled || this.#runs >= mostRuns) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#runs++
    await this.#write(this.#takePuts())
    this.#runs--
    if (this.#queue.length > 0) this.#schedule()
    else if (this.#runs === 0) {
      this.#idle?.resolve()
      this.#idle = undefined
    }
  }

  #takePuts(): PendingPut[] {
    let count = 0
    let bytes = 0
    const end = this.#queue.findIndex((put, index) => {
      count += put.objects.length
      bytes += put.bytes
      return index > 0 && (count > maxPackObjects || bytes > maxPackBytes)
    })
    const taken = end < 0 ? this.#queue : this.#queue.slice(0, end)
    this.#queue = end < 0 ? [] : this.#queue.slice(end)
    for (const put of taken) {
      this.#queuedBytes -= put.bytes
      if (!this.#joinsWrites) this.#leave(put)
    }
    return taken
  }

  /** Never rejects: each put gets its own result. */
  async #write(puts: readonly PendingPut[]): Promise<void> {
    if (puts.length === 0) return
    try {
      // Several puts at once mean that their callers will soon write again.
      const expectMore = puts.length > 1
      await this.#install(
        puts.flatMap((put) => put.objects),
        expectMore
      )
      for (const put of puts) this.#settle(put)
    } catch (error) {
      // Git refused an object in the pack. Halving finds it, so that one bad object does not fail its neighbours.
      if (puts.length > 1 && error instanceof BlobwireError && error.code === 'internal') {
        const middle = puts.length >> 1
        await this.#write(puts.slice(0, middle))
        await this.#write(puts.slice(middle))
      } else for (const put of puts) this.#settle(put, error)
    }
  }

  /** No later put waits for this one. */
  #leave(put: PendingPut): void {
    for (const { oid } of put.objects) if (this.#pending.get(oid) === put) this.#pending.delete(oid)
  }

  #settle(put: PendingPut, error?: unknown): void {
    if (this.#recent.size === 0) this.#recentSince = performance.now()
    this.#leave(put)
    if (error === undefined) for (const { oid } of put.objects) this.#recent.add(oid)
    for (const oid of this.#recent) {
      if (this.#recent.size <= this.#maxRecentOids) break
      this.#recent.delete(oid)
    }
    if (error === undefined) put.done.resolve()
    else put.done.reject(error)
  }
}
