/** The journal of keyed writes: the intent before the effect, a mark after it. */
import { type KeyedRequest, KeyRemembered, type RefMove, type RememberedOutcome } from '../store.ts'
import { StoreSteps } from '../vitals.ts'
import { EventBound } from './event-bound.ts'
import { type EventRecord, JournalEvents } from './journal-events.ts'
import { placeUnit } from './journal-record.ts'
import { JournalSegments, type SegmentOptions } from './journal-segments.ts'
import { KeyIndex } from './key-index.ts'

/** A write that is going to be made; its events begin to count when it has its effect. */
export interface WriteIntent extends EventRecord {
  readonly effect: 'moves' | 'creation' | 'deletion' | 'default_branch'
  /** The id of the repository that is meant: another one of the same name is not. */
  readonly instance: string
  /** All moves that are made together; none for other effects. */
  readonly moves: readonly RefMove[]
  /** Full name of the branch that HEAD is to name. */
  readonly defaultBranch?: string
  readonly requests: readonly KeyedRequest[]
}

/** An intent without a mark: the server was killed before it wrote one. */
export interface OpenIntent extends WriteIntent {
  readonly id: number
}

interface Marks {
  /** Intents that had their effect. */
  readonly done?: readonly number[]
  /** Intents that had none. */
  readonly dropped?: readonly number[]
  /** Events of an intent that had its effect, at the place of this record: later ones of the repository counted before. */
  readonly late?: LateEvents
}

interface LateEvents extends EventRecord {
  /** The intent, whose mark may be missing where the server was killed. */
  readonly intent?: number
}

/** A write without an effect, such as a refusal, is remembered by its record alone. */
interface RecordedWrite extends Omit<WriteIntent, 'effect'> {
  readonly effect: WriteIntent['effect'] | 'none'
}

const hourMs = 3_600_000
/** An outside git may move a ref after a kill, and hide whether an open intent had its effect; so marks do not wait long. */
export const markDelayMs = 20

/**
 * Remembers keyed writes for a day at least. An intent is on disk before its effect begins. The mark that follows the
 * effect is written with the next record: until then the refs themselves tell whether the effect was had, which is
 * looked up at the next start (`openIntents`). So that they do, a later write of the same refs waits for the mark: it is
 * before the record of a keyed write, and `flush` writes it before any other.
 *
 * A write of one ref takes some 700 bytes on disk; its key 23 to 46 bytes in memory.
 */
export class RequestJournal {
  readonly seconds = 86_400
  readonly events = new JournalEvents((place) => this.#readEvents(place))
  readonly #index = new KeyIndex()
  readonly #open = new Map<number, WriteIntent>()
  /** Intents that were open at the start, and whose events count already. */
  readonly #told = new Set<number>()
  /** Segments with requests. */
  readonly #keyed = new Set<number>()
  #segments!: JournalSegments
  /** Numbers of the first and the last segment. */
  #first = 0
  #last = 0
  #unwritten: { done: number[]; dropped: number[] } | undefined
  #markTimer: NodeJS.Timeout | undefined

  private constructor() {}

  /**
   * Opens the journal in its directory.
   *
   * @param options `maxEvents`: records with events that are kept, as long as requests but for this bound
   */
  static async open(
    directory: string,
    { maxEvents = 2_000_000, ...options }: Partial<SegmentOptions> & { readonly maxEvents?: number } = {}
  ): Promise<RequestJournal> {
    const journal = new RequestJournal()
    journal.events.bound = new EventBound(maxEvents)
    const defaults = {
      maxBytes: 16 * 2 ** 20,
      maxAgeMs: hourMs,
      keepMs: 24 * hourMs,
      now: Date.now,
      steps: new StoreSteps()
    }
    journal.#segments = await JournalSegments.open(directory, { ...defaults, ...options }, (text, place) =>
      journal.#load(JSON.parse(text) as RecordedWrite | Marks, place)
    )
    await journal.#removeOld()
    return journal
  }

  /** Counts the events of an intent that had its effect. */
  #count(intent: WriteIntent, id: number): void {
    if (this.#told.delete(id) || this.events.add(intent, id)) return
    const { repository, instance, moves, events, timeMs } = intent
    const late = { repository, instance, moves, events, timeMs, intent: id }
    // A failure is told to those who write next; the intent was done all the same.
    this.#append([{ late }]).then(
      ([place = 0]) => void this.events.add(late, place),
      () => undefined
    )
  }

  async #readEvents(place: number): Promise<EventRecord | undefined> {
    const text = await this.#segments.read(place)
    if (text === undefined) return undefined
    const record = JSON.parse(text) as RecordedWrite | Marks
    return 'effect' in record ? record : record.late
  }

  /** Intents that the server before this one left open, in the order in which they were written. */
  openIntents(): OpenIntent[] {
    return [...this.#open].map(([id, intent]) => ({ ...intent, id })).sort((left, right) => left.id - right.id)
  }

  /** Keys that are known, bytes of the index in memory, and bytes on disk. */
  size(): { keys: number; memory: number; disk: number } {
    return { keys: this.#index.size, memory: this.#index.bytes, disk: this.#segments.size }
  }

  async recall(repository: string, key: string): Promise<RememberedOutcome | undefined> {
    for (const place of this.#index.find(indexed(repository, key))) {
      const text = await this.#segments.read(place)
      if (text === undefined) continue
      const write = JSON.parse(text) as RecordedWrite
      const request = write.requests.find((candidate) => candidate.key === key)
      if (write.repository === repository && request) return { digest: request.digest, outcome: request.outcome }
    }
    return undefined
  }

  /** The requests that there are, none of which is remembered yet. @throws KeyRemembered */
  async unknown(repository: string, ...requests: readonly (KeyedRequest | undefined)[]): Promise<KeyedRequest[]> {
    const given = requests.filter((request) => request !== undefined)
    for (const { key } of given) if (await this.recall(repository, key)) throw new KeyRemembered(key)
    return given
  }

  /** Remembers writes that have no effect. */
  async remember(repository: string, requests: readonly KeyedRequest[]): Promise<void> {
    if (requests.length === 0) return
    const write: RecordedWrite = { repository, effect: 'none', instance: '', moves: [], requests }
    const [place = 0] = await this.#append([write])
    this.#remember(write, place)
  }

  /** Writes intents; resolves with an id for each when they are on disk, after all marks that were made before. */
  async intend(intents: readonly WriteIntent[]): Promise<number[]> {
    const ids = await this.#append(intents)
    ids.forEach((id, index) => {
      this.#open.set(id, intents[index] as WriteIntent)
    })
    return ids
  }

  /** The intents had their effect, and it is durable. */
  done(ids: readonly number[]): void {
    this.assumeDone(ids)
    this.#mark({ done: ids })
  }

  /**
   * The intents had their effect, which everybody can see, but it may not outlive a crash of the machine. They are
   * remembered, and without a mark: the next start looks at the effect itself.
   */
  assumeDone(ids: readonly number[]): void {
    for (const id of ids) {
      const intent = this.#open.get(id)
      this.#open.delete(id)
      if (intent === undefined) continue
      this.#remember(intent, id)
      this.#count(intent, id)
    }
  }

  /** The intents had no effect. */
  drop(ids: readonly number[]): void {
    for (const id of ids) this.#open.delete(id)
    this.#mark({ dropped: ids })
  }

  /** Resolves when all marks are on disk. */
  async flush(): Promise<void> {
    this.#queueMarks()
    await this.#segments.flush()
  }

  async close(): Promise<void> {
    this.#queueMarks()
    await this.#segments.close()
  }

  async #append(writes: readonly (RecordedWrite | Marks)[]): Promise<number[]> {
    this.#queueMarks()
    const places = await this.#segments.append(writes.map((write) => JSON.stringify(write)))
    const last = JournalSegments.segmentOf(places.at(-1) ?? 0)
    if (last > this.#last) {
      this.#last = last
      await this.#removeOld()
    }
    return places
  }

  /** A mark comes after its intent, so that open intents alone are kept in memory. */
  #load(record: RecordedWrite | Marks, place: number): void {
    this.events.startAt(JournalSegments.segmentOf(place))
    if (!('effect' in record)) {
      for (const id of record.done ?? []) this.#loadDone(id)
      for (const id of record.dropped ?? []) this.#open.delete(id)
      if (record.late) this.#loadLate(record.late, place)
    } else if (record.effect === 'none') this.#remember(record, place)
    else this.#open.set(place, { ...record, effect: record.effect })
  }

  #loadDone(id: number): void {
    const intent = this.#open.get(id)
    this.#open.delete(id)
    this.#told.delete(id)
    if (intent === undefined) return
    this.#remember(intent, id)
    // Events that came too late have another record.
    this.events.load(intent, id)
  }

  #loadLate(late: LateEvents, place: number): void {
    this.events.load(late, place)
    if (late.intent !== undefined && this.#open.has(late.intent)) this.#told.add(late.intent)
  }

  #mark({ done = [], dropped = [] }: Marks): void {
    if (done.length + dropped.length === 0) return
    this.#unwritten ??= { done: [], dropped: [] }
    this.#unwritten.done.push(...done)
    this.#unwritten.dropped.push(...dropped)
    this.#markTimer ??= setTimeout(() => {
      this.#markTimer = undefined
      this.flush().catch(() => {})
    }, markDelayMs).unref()
  }

  #queueMarks(): void {
    clearTimeout(this.#markTimer)
    this.#markTimer = undefined
    if (this.#unwritten) this.#segments.appendLater(JSON.stringify(this.#unwritten))
    this.#unwritten = undefined
  }

  async #removeOld(): Promise<void> {
    const needed = Math.min(Number.POSITIVE_INFINITY, ...[...this.#open.keys()].map(JournalSegments.segmentOf))
    const firstEvents = this.events.bound.first
    const isSpare = (segment: number) => segment < firstEvents && !this.#keyed.has(segment)
    const first = await this.#segments.removeOld(needed, isSpare)
    for (const segment of this.#keyed) if (segment < first) this.#keyed.delete(segment)
    if (first > this.#first) this.#index.dropBefore(first * placeUnit)
    this.events.dropBefore(Math.max(first, firstEvents) * placeUnit)
    this.#first = first
  }

  #remember({ repository, requests }: Pick<WriteIntent, 'repository' | 'requests'>, place: number): void {
    for (const { key } of requests) this.#index.add(indexed(repository, key), place)
    if (requests.length > 0) this.#keyed.add(JournalSegments.segmentOf(place))
  }
}

/** Neither names nor keys hold a line feed. */
const indexed = (repository: string, key: string) => `${repository}\n${key}`
