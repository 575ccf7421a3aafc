/** The store for many servers: rows of a database on the PostgreSQL wire. A server has no state of its own. */
import { systemClock } from '../../../src/core/clock.ts'
import type { RefMismatch } from '../../../src/core/error.ts'
import type { ObjectFormat } from '../../../src/git/oid.ts'
import type { EventCursor, EventPage, EventRequest } from '../events.ts'
import type { ObjectContent, UploadBounds, UploadState, UploadWriter } from '../large-content.ts'
import type {
  Creation,
  CreationOptions,
  DeflatedBlob,
  Head,
  KeyedBy,
  KeyedRequest,
  MoveRecords,
  NewObject,
  ObjectInfo,
  ObjectScan,
  PageRequest,
  RefMove,
  RefsAt,
  RememberedOutcome,
  RepositoryInfo,
  ScannedObject,
  Store,
  StoredObject,
  StoredRef,
  WriteQuestions,
  WriteStart
} from '../store.ts'
import { Uploads } from '../uploads/uploads.ts'
import type { StoreVitals } from '../vitals.ts'
import type { Database } from './database/database.ts'
import { type DatabaseOptions, PipelinedDatabase } from './database/pipelined-database.ts'
import { Events } from './events.ts'
import { ChunkSpools } from './large/chunk-spools.ts'
import { RepositoryMoves } from './moves/repository-moves.ts'
import { keySeconds } from './name-keys.ts'
import { scanObjects } from './object-scan.ts'
import { Objects } from './objects.ts'
import { PushRows } from './push-rows.ts'
import { Refs } from './refs.ts'
import { Repositories } from './repositories.ts'
import { Requests } from './requests.ts'
import type { Migration } from './schema/migrations.ts'
import { openSchema } from './schema/schema.ts'
import { Sweeper } from './sweeper.ts'

/** Options of `PostgresStore.open`. */
export interface PostgresStoreOptions extends DatabaseOptions {
  /** Of the schema; for tests. @default those of this version */
  readonly migrations?: readonly Migration[] | undefined
  /** Called when the store has closed its connections. */
  readonly onClosed?: (() => void) | undefined
}

export class PostgresStore implements Store {
  readonly vitals: StoreVitals
  readonly pushLedger: PushRows
  readonly #database: Database
  readonly #onClosed: (() => void) | undefined
  readonly #repositories: Repositories
  readonly #objects: Objects
  readonly #refs: Refs
  readonly #requests: Requests
  readonly #events: Events
  readonly #spools: ChunkSpools
  readonly #uploads: Uploads
  readonly #sweeper: Sweeper

  private constructor(database: PipelinedDatabase, { clock = systemClock, onClosed }: PostgresStoreOptions) {
    this.#database = database
    this.pushLedger = new PushRows(database)
    this.#onClosed = onClosed
    this.#repositories = new Repositories(database)
    const moves = new RepositoryMoves(database, keySeconds)
    this.#requests = new Requests({ database, repositories: this.#repositories, moves })
    this.#events = new Events(database, this.#repositories)
    this.#spools = new ChunkSpools(database, this.#repositories, clock)
    this.#objects = new Objects(database, this.#repositories, this.#spools)
    this.#refs = new Refs({ database, repositories: this.#repositories, objects: this.#objects, moves })
    this.#uploads = new Uploads(this.#spools, clock)
    this.vitals = {
      steps: database.steps,
      uploads: () => this.#uploads.figures(),
      database: () => database.figures(),
      check: () => database.check(),
      diskSpace: async () => undefined
    }
    this.#sweeper = new Sweeper({ database, events: this.#events, clock })
    this.#sweeper.start()
  }

  static async open(options: PostgresStoreOptions): Promise<PostgresStore> {
    const database = await PipelinedDatabase.open(options)
    try {
      await openSchema(database, options)
      return new PostgresStore(database, options)
    } catch (error) {
      await database.close()
      throw error
    }
  }

  get requestKeySeconds(): number {
    return this.#requests.seconds
  }

  get eventPollMs(): number {
    return this.#events.pollMs
  }

  async recall(repository: string, key: string): Promise<RememberedOutcome | undefined> {
    return this.#requests.recall(repository, key)
  }

  async remember(repository: string, requests: readonly KeyedRequest[]): Promise<void> {
    return this.#requests.remember(repository, requests)
  }

  async createRepository(
    repository: string,
    objectFormat: ObjectFormat,
    options: CreationOptions = {}
  ): Promise<Creation> {
    return this.#repositories.create(repository, objectFormat, options)
  }

  async updateRepository(
    repository: string,
    defaultBranch: string,
    request?: KeyedBy<RepositoryInfo>
  ): Promise<RepositoryInfo> {
    return this.#repositories.update(repository, defaultBranch, request)
  }

  getRepository(repository: string): Promise<RepositoryInfo | undefined> | RepositoryInfo | undefined {
    return this.#repositories.find(repository)
  }

  isCurrent(info: RepositoryInfo): Promise<boolean> {
    return this.#repositories.isCurrent(info)
  }

  async listRepositories(page: PageRequest): Promise<RepositoryInfo[]> {
    return this.#repositories.list(page)
  }

  async deleteRepository(repository: string, request?: KeyedBy<boolean>): Promise<boolean> {
    const deleted = await this.#repositories.delete(repository, request)
    await this.#uploads.forget(repository)
    if (deleted) this.#events.listeners.tell(repository)
    return deleted
  }

  putObjects(repository: string, objects: readonly NewObject[], incarnation?: string): Promise<void> {
    return this.#objects.put(repository, objects, incarnation)
  }

  async readObjects(
    repository: string,
    oids: readonly string[],
    maxBytes: number
  ): Promise<(StoredObject | undefined)[]> {
    return this.#objects.read(repository, oids, maxBytes)
  }

  async readDeflated(
    repository: string,
    oids: readonly string[],
    maxBytes: number
  ): Promise<(DeflatedBlob | undefined)[]> {
    return this.#objects.readDeflated(repository, oids, maxBytes)
  }

  async hasObjects(repository: string, oids: readonly string[]): Promise<(ObjectInfo | undefined)[]> {
    return this.#objects.infos(repository, oids)
  }

  async scanObjects(repository: string, scan: ObjectScan): Promise<ScannedObject[]> {
    return scanObjects({ database: this.#database, repositories: this.#repositories }, repository, scan)
  }

  async listRefs(repository: string, page: PageRequest): Promise<StoredRef[]> {
    const { refs } = await this.#refs.at(repository, page)
    return [...refs]
  }

  async refsAt(repository: string, page: PageRequest): Promise<RefsAt> {
    return this.#refs.at(repository, page)
  }

  async readHead(repository: string): Promise<Head> {
    return this.#repositories.head(repository)
  }

  async readRefs(repository: string, names: readonly string[]): Promise<(string | undefined)[]> {
    return this.#refs.read(repository, names)
  }

  async startWrite(repository: string, { refs, keys }: WriteQuestions): Promise<WriteStart> {
    const [current, start] = await Promise.all([
      this.#repositories.find(repository),
      this.#repositories.use(repository, async ({ id, info }) => {
        const [oids, remembered] = await Promise.all([this.#refs.readOf(id, refs), this.#requests.recallOf(id, keys)])
        return { info, oids, remembered }
      })
    ])
    // The one that has these refs, as it was within the last second.
    return current && current.incarnation === start.info.incarnation ? { ...start, info: current } : start
  }

  async updateRefs(repository: string, moves: readonly RefMove[], records: MoveRecords = {}): Promise<RefMismatch[]> {
    const mismatches = await this.#refs.move(repository, moves, records)
    if (mismatches.length === 0 && moves.length > 0) this.#events.listeners.tell(repository)
    return [...mismatches]
  }

  async readEvents(repository: string, request: EventRequest): Promise<EventPage> {
    return this.#events.read(repository, request)
  }

  async oldestEvents(repository: string): Promise<EventCursor> {
    return this.#events.oldest(repository)
  }

  onEvents(listener: (repository: string) => void): () => void {
    return this.#events.listeners.add(listener)
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
    return this.#spools.openObject(repository, oid)
  }

  async close(): Promise<void> {
    await this.#sweeper.close()
    await this.#uploads.close()
    await this.#spools.close()
    await this.#database.close()
    this.#onClosed?.()
  }
}
