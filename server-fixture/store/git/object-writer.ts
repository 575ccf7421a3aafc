import { BlobwireError } from '../../../src/core/error.ts'
import type { NewObject } from '../store.ts'

/** What one `put` still has to write, and who waits for it. */
interface Unit {
  readonly objects: readonly NewObject[]
  readonly bytes: number
  readonly done: PromiseWithResolvers<void>
}

/** Writes objects durably as one pack; with `expectMore` another one is likely to follow at once. */
type Install = (objects: readonly NewObject[], expectMore: boolean) => Promise<void>

/** How much goes into one pack at most; a put that is larger makes a pack of its own. */
const maxPackBytes = 8 * 1024 * 1024
const maxPackObjects = 10_000
/** So many oids written lately are remembered, and their objects not written again. */
const maxRecentOids = 50_000

/**
 * Group commit: while one pack is being written, puts gather for the next one, so that many small puts share one git
 * process and one set of fsyncs. A put resolves when the packs with its objects are durable.
 */
export class ObjectWriter {
  readonly #install: Install
  readonly #runsInFlight: number
  readonly #recent = new Set<string>()
  /** Where an object is that waits or is being written: a second put of it waits for the first. */
  readonly #underWay = new Map<string, Unit>()
  #queue: Unit[] = []
  #runs = 0
  #scheduled = false
  #idle: PromiseWithResolvers<void> | undefined

  /**
   * @param install writes objects durably as one pack, and rejects with a `BlobwireError`
   * @param runsInFlight packs written at the same time
   */
  constructor(install: Install, runsInFlight = 1) {
    this.#install = install
    this.#runsInFlight = runsInFlight
  }

  /** @throws whatever `install` rejected with for a pack that an object of this put was in */
  async put(objects: readonly NewObject[]): Promise<void> {
    const waitFor = new Set<Unit>()
    const fresh: NewObject[] = []
    const unit: Unit = { objects: fresh, bytes: 0, done: Promise.withResolvers() }
    let bytes = 0
    for (const object of objects) {
      if (this.#recent.has(object.oid)) continue
      const earlier = this.#underWay.get(object.oid)
      if (earlier) {
        if (earlier !== unit) waitFor.add(earlier)
        continue
      }
      this.#underWay.set(object.oid, unit)
      fresh.push(object)
      bytes += object.content.length
    }
    if (fresh.length > 0) {
      waitFor.add(unit)
      this.#queue.push(Object.assign(unit, { bytes }))
      this.#schedule()
    }
    await Promise.all(Array.from(waitFor, ({ done }) => done.promise))
  }

  /** Waits until nothing is queued or being written. */
  async drain(): Promise<void> {
    if (this.#runs === 0 && this.#queue.length === 0) return
    this.#idle ??= Promise.withResolvers()
    await this.#idle.promise
  }

  /** After this turn of the event loop, so that what arrived together is written together. */
  #schedule(): void {
    if (this.#scheduled || this.#runs >= this.#runsInFlight) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#runs++
    await this.#write(this.#takeUnits())
    this.#runs--
    if (this.#queue.length > 0) this.#schedule()
    else if (this.#runs === 0) {
      this.#idle?.resolve()
      this.#idle = undefined
    }
  }

  #takeUnits(): Unit[] {
    let count = 0
    let bytes = 0
    const end = this.#queue.findIndex((unit, index) => {
      count += unit.objects.length
      bytes += unit.bytes
      return index > 0 && (count > maxPackObjects || bytes > maxPackBytes)
    })
    const taken = end < 0 ? this.#queue : this.#queue.slice(0, end)
    this.#queue = end < 0 ? [] : this.#queue.slice(end)
    return taken
  }

  /** Never rejects: each unit is told what became of it. */
  async #write(units: readonly Unit[]): Promise<void> {
    if (units.length === 0) return
    try {
      // Several puts at once mean that their writers will be back.
      const expectMore = units.length > 1
      await this.#install(
        units.flatMap((unit) => unit.objects),
        expectMore
      )
      for (const unit of units) this.#settle(unit)
    } catch (error) {
      // Git refused something in the pack. Halving finds it, so that one bad object does not fail its neighbours.
      if (units.length > 1 && error instanceof BlobwireError && error.code === 'internal') {
        const middle = units.length >> 1
        await this.#write(units.slice(0, middle))
        await this.#write(units.slice(middle))
      } else for (const unit of units) this.#settle(unit, error)
    }
  }

  #settle(unit: Unit, error?: unknown): void {
    for (const { oid } of unit.objects) {
      this.#underWay.delete(oid)
      if (error === undefined) this.#recent.add(oid)
    }
    for (const oid of this.#recent) {
      if (this.#recent.size <= maxRecentOids) break
      this.#recent.delete(oid)
    }
    if (error === undefined) unit.done.resolve()
    else unit.done.reject(error)
  }
}
