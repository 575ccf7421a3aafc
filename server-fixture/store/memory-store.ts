/** The store for tests and benchmarks: nothing outlives the process. */
import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { RefMismatch } from '../../src/core/error.ts'
import { type ObjectFormat, zeroOid } from '../../src/git/oid.ts'
import { BlockList } from './block-list.ts'
import { EventLog } from './event-log.ts'
import { type EventCursor, EventListeners, type EventPage, type EventRequest } from './events.ts'
import type { ObjectContent, UploadBounds, UploadState, UploadWriter } from './large-content.ts'
import { MemoryContent } from './memory-content.ts'
import { headOf, infoOf, type MemoryRepository } from './memory-repository.ts'
import { MemorySpools } from './memory-spools.ts'
import { repositoryNotFound, SortedNames } from './name-page.ts'
import { ObjectTable } from './object-table.ts'
import {
  checkNameConflicts,
  checkTargets,
  compareRefs,
  eventsOf,
  firstBranch,
  initialBranch,
  makesBranch
} from './ref-rules.ts'
import { RequestTable } from './request-table.ts'
import {
  type Creation,
  type CreationOptions,
  type Head,
  type KeyedBy,
  type KeyedRequest,
  type MoveRecords,
  type NewObject,
  type ObjectInfo,
  type PageRequest,
  type RefMove,
  type RefsAt,
  type RememberedOutcome,
  type RepositoryInfo,
  RepositoryReplaced,
  type Store,
  type StoredObject,
  type StoredRef
} from './store.ts'
import { Uploads } from './uploads/uploads.ts'
import { memoryVitals, type StoreVitals } from './vitals.ts'

/** Some 100,000 events of one move. */
const maxEventBytes = 40_000_000

/**
 * A store in the memory of this process. Every method does its work before it first waits, so that calls are atomic
 * without locks.
 */
export class MemoryStore implements Store {
  readonly #repositories = new Map<string, MemoryRepository>()
  readonly #names = new SortedNames(this.#repositories)
  readonly #requests = new RequestTable()
  readonly #spools: MemorySpools
  readonly #uploads: Uploads
  readonly #clock: Clock
  readonly #events = new EventLog(maxEventBytes)
  readonly #listeners = new EventListeners()
  #lastSequence = 0

  readonly vitals: StoreVitals

  /** @param clock of abandoned uploads, and of events */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock
    this.#spools = new MemorySpools(this.#repositories, clock)
    this.#uploads = new Uploads(this.#spools, clock)
    this.vitals = memoryVitals(() => this.#uploads.figures())
  }

  get requestKeySeconds(): number {
    return this.#requests.seconds
  }

  async recall(repository: string, key: string): Promise<RememberedOutcome | undefined> {
    return this.#requests.recall(repository, key)
  }

  async remember(repository: string, requests: readonly KeyedRequest[]): Promise<void> {
    this.#requests.remember(repository, requests)
  }

  async createRepository(
    repository: string,
    objectFormat: ObjectFormat,
    { defaultBranch, request }: CreationOptions = {}
  ): Promise<Creation> {
    const existing = this.#repositories.get(repository)
    const incarnation = randomUUID()
    const info = existing
      ? infoOf(existing)
      : { repository, objectFormat, defaultBranch: defaultBranch ?? initialBranch, incarnation }
    const creation = { info, created: existing === undefined }
    if (request) this.#rememberNew(repository, [request(creation)])
    if (existing === undefined) {
      const refs = new Map<string, string>()
      const objects = new ObjectTable(objectFormat)
      const isChosen = defaultBranch !== undefined
      const refNames = new SortedNames(refs)
      this.#repositories.set(repository, { info, incarnation, isChosen, objects, refs, refNames })
      this.#events.begin(repository, { incarnation, sequence: this.#lastSequence })
      this.#names.changed()
    }
    return creation
  }

  async updateRepository(
    repository: string,
    defaultBranch: string,
    request?: KeyedBy<RepositoryInfo>
  ): Promise<RepositoryInfo> {
    const found = this.#find(repository)
    const info = { ...found.info, defaultBranch }
    if (request) this.#rememberNew(repository, [request(info)])
    found.info = info
    found.isChosen = true
    return info
  }

  getRepository(repository: string): Promise<RepositoryInfo | undefined> | RepositoryInfo | undefined {
    return this.#repositories.get(repository)?.info
  }

  async listRepositories(page: PageRequest): Promise<RepositoryInfo[]> {
    return this.#names.page(page).map((name) => infoOf(this.#find(name)))
  }

  async deleteRepository(repository: string, request?: KeyedBy<boolean>): Promise<boolean> {
    const found = this.#repositories.get(repository)
    const deleted = found !== undefined
    if (request) this.#rememberNew(repository, [request(deleted)])
    this.#repositories.delete(repository)
    this.#names.changed()
    if (found) this.#events.end(found.incarnation)
    if (found) this.#listeners.tell(repository)
    this.#spools.removeAll(repository)
    await this.#uploads.forget(repository)
    return deleted
  }

  putObjects(repository: string, objects: readonly NewObject[], incarnation?: string): Promise<void> | undefined {
    const stored = this.#find(repository, incarnation).objects
    for (const object of objects) stored.add(object.oid, object)
    return undefined
  }

  async readObjects(
    repository: string,
    oids: readonly string[],
    maxBytes: number
  ): Promise<(StoredObject | undefined)[]> {
    const stored = this.#find(repository).objects
    return oids.map((oid) => {
      const object = stored.get(oid)
      if (!object) return undefined
      const { kind, content } = object
      const size = content.length
      if (size > maxBytes) return { kind, size, content: undefined }
      return { kind, size, content: content instanceof BlockList ? content.join() : content }
    })
  }

  async hasObjects(repository: string, oids: readonly string[]): Promise<(ObjectInfo | undefined)[]> {
    return this.#infos(this.#find(repository), oids)
  }

  async listRefs(repository: string, page: PageRequest): Promise<StoredRef[]> {
    return this.#page(repository, page)
  }

  #page(repository: string, page: PageRequest): StoredRef[] {
    const { refs, refNames } = this.#find(repository)
    return refNames.page(page).map((name) => ({ name, oid: refs.get(name) as string }))
  }

  async readHead(repository: string): Promise<Head> {
    return headOf(this.#find(repository))
  }

  async readRefs(repository: string, names: readonly string[]): Promise<(string | undefined)[]> {
    const { refs } = this.#find(repository)
    return names.map((name) => refs.get(name))
  }

  async updateRefs(
    repository: string,
    moves: readonly RefMove[],
    { requests = [], events, objects = [], throwIfAbandoned, incarnation }: MoveRecords = {}
  ): Promise<RefMismatch[]> {
    this.#requests.checkNew(repository, requests)
    const found = this.#find(repository, incarnation)
    for (const object of objects) found.objects.add(object.oid, object)
    throwIfAbandoned?.()
    const zero = zeroOid(found.info.objectFormat)
    const mismatches = compareRefs(
      moves,
      moves.map((move) => found.refs.get(move.name)),
      zero
    )
    if (mismatches.length > 0) return mismatches
    checkTargets(
      moves,
      this.#infos(
        found,
        moves.map((move) => move.newOid)
      )
    )
    checkNameConflicts(moves, found.refs.keys())
    const before = headOf(found)
    for (const { name, newOid } of moves) {
      if (newOid === zero || !found.refs.has(name)) found.refNames.changed()
      if (newOid === zero) found.refs.delete(name)
      else found.refs.set(name, newOid)
    }
    const first = before.isFree ? firstBranch(moves, before.ref) : undefined
    const named = first ?? (moves.some(makesBranch) ? before.ref : undefined)
    if (named !== undefined) found.info = { ...found.info, defaultBranch: named }
    this.#requests.remember(repository, requests)
    const timeMs = this.#clock.wallTimeMs()
    const written = eventsOf(moves, events).map((event) => ({ ...event, sequence: ++this.#lastSequence, timeMs }))
    this.#events.add(found.incarnation, written)
    if (written.length > 0) this.#listeners.tell(repository)
    return []
  }

  async readEvents(repository: string, { after, limit }: EventRequest): Promise<EventPage> {
    const found = this.#repositories.get(repository)
    const page = after && this.#events.read(repository, after, limit)
    if (page) {
      const { events, hasMore } = page
      const cursor = { ...after, sequence: events.at(-1)?.sequence ?? after.sequence }
      const last = found?.incarnation === after.incarnation ? 'current' : 'ended'
      return { events, cursor, state: hasMore ? 'more' : last }
    }
    const { incarnation } = this.#find(repository)
    const cursor = { incarnation, sequence: this.#events.lastOf(incarnation) ?? 0 }
    return { events: [], cursor, state: after ? 'gap' : 'current' }
  }

  async oldestEvents(repository: string): Promise<EventCursor> {
    const { incarnation } = this.#find(repository)
    return { incarnation, sequence: this.#events.droppedOf(incarnation) ?? 0 }
  }

  onEvents(listener: (repository: string) => void): () => void {
    return this.#listeners.add(listener)
  }

  async refsAt(repository: string, page: PageRequest): Promise<RefsAt> {
    const { incarnation } = this.#find(repository)
    const cursor = { incarnation, sequence: this.#events.lastOf(incarnation) ?? 0 }
    return { refs: this.#page(repository, page), cursor }
  }

  boundUploads(bounds: UploadBounds): void {
    this.#uploads.bound(bounds)
  }

  openUpload(repository: string, id: string, size: number | undefined): Promise<UploadWriter> {
    return this.#uploads.open(repository, id, size)
  }

  uploadState(repository: string, id: string): Promise<UploadState | undefined> {
    return this.#uploads.state(repository, id)
  }

  cancelUpload(repository: string, id: string): Promise<boolean> {
    return this.#uploads.cancel(repository, id)
  }

  async openObject(repository: string, oid: string): Promise<ObjectContent | undefined> {
    const object = this.#find(repository).objects.get(oid)
    return object && new MemoryContent(object)
  }

  async close(): Promise<void> {
    await this.#uploads.close()
  }

  #rememberNew(repository: string, requests: readonly KeyedRequest[]): void {
    this.#requests.checkNew(repository, requests)
    this.#requests.remember(repository, requests)
  }

  #find(repository: string, meant?: string): MemoryRepository {
    const found = this.#repositories.get(repository)
    if (!found) throw repositoryNotFound(repository)
    if (meant !== undefined && found.incarnation !== meant) throw new RepositoryReplaced(repository)
    return found
  }

  #infos({ objects }: MemoryRepository, oids: readonly string[]): (ObjectInfo | undefined)[] {
    return oids.map((oid) => {
      const object = objects.get(oid)
      return object && { kind: object.kind, size: object.content.length }
    })
  }
}
