/** The store for real use: bare Git repositories in a directory. */
import type { RefMismatch } from '../../../src/core/error.ts'
import type { ObjectFormat } from '../../../src/git/oid.ts'
import type { EventCursor, EventPage, EventRequest } from '../events.ts'
import type { ObjectContent, UploadBounds, UploadState, UploadWriter } from '../large-content.ts'
import { repositoryNotFound, storeClosed } from '../name-page.ts'
import { initialBranch } from '../ref-rules.ts'
import type {
  Creation,
  CreationOptions,
  Head,
  KeyedBy,
  KeyedRequest,
  MoveRecords,
  NewObject,
  ObjectInfo,
  PackIntake,
  PageRequest,
  RefMove,
  RefsAt,
  RememberedOutcome,
  RepositoryInfo,
  Store,
  StoredRef
} from '../store.ts'
import { DirectoryVitals, type StoreVitals } from '../vitals.ts'
import type { GitRepository } from './git-repository.ts'
import { type GitStoreDependencies, openParts } from './git-store-dependencies.ts'
import { defaultStoreOptions, type GitStoreOptions, type ResolvedStoreOptions } from './git-store-options.ts'
import { JournaledEffects } from './journaled-effects.ts'
import { GitUploads } from './large/git-uploads.ts'
import type { LockFile } from './lock-file.ts'
import { OpenRepositories } from './open-repositories.ts'
import { openPackIntake } from './pack-intake.ts'
import { checkName, newInstance, type RepositoryDirectories } from './repository-directories.ts'
import { RepositoryEvents } from './repository-events.ts'
import { servable } from './repository-form.ts'
import { RepositoryOpener } from './repository-opener.ts'
import type { RequestJournal } from './request-journal.ts'

/**
 * A store of ordinary bare Git repositories, which works through the `git` program as Gitaly does. When a method
 * resolves, its work is on disk: it survives `kill -9` and, as far as the disk honours fsync, a crash of the machine.
 */
export class GitStore implements Store {
  readonly #lock: LockFile
  readonly #directories: RepositoryDirectories
  readonly #options: ResolvedStoreOptions
  readonly #open: OpenRepositories
  readonly #journal: RequestJournal
  readonly #effects: JournaledEffects
  readonly #uploads: GitUploads
  readonly #events: RepositoryEvents
  readonly #opener: RepositoryOpener
  readonly vitals: StoreVitals
  #lastChange: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  private constructor(dependencies: GitStoreDependencies) {
    this.#lock = dependencies.lock
    this.#directories = dependencies.directories
    this.#journal = dependencies.journal
    this.#options = dependencies.options
    this.#effects = new JournaledEffects({ ...dependencies, use: (name, work) => this.#use(name, work) })
    this.#uploads = new GitUploads(dependencies.uploadsPath, {
      instanceOf: (name) => this.#directories.instanceOf(name),
      use: (name, work) => this.#use(name, work)
    })
    const { path, steps } = dependencies
    this.vitals = new DirectoryVitals(path, { steps, uploads: () => this.#uploads.figures() })
    this.#opener = new RepositoryOpener(dependencies)
    this.#events = new RepositoryEvents(dependencies)
    this.#open = new OpenRepositories(dependencies.options.maxOpenRepositories, (name) => this.#opener.open(name))
  }

  /**
   * Opens a directory of repositories, and creates it if it is missing.
   *
   * @throws `failed_precondition` if another process has it open (reason `directory_in_use`), git is too old (reason
   *   `git_version`) or the format of the directory is newer than this server; `data_loss` if the journal of request keys
   *   is damaged; `unavailable` if git or the directory cannot be used
   */
  static async open(directory: string, options: GitStoreOptions = {}): Promise<GitStore> {
    const store = new GitStore(await openParts(directory, { ...defaultStoreOptions, ...options }))
    try {
      await store.#effects.settleAll()
      return store
    } catch (error) {
      await store.close()
      throw error
    }
  }

  get requestKeySeconds(): number {
    return this.#journal.seconds
  }

  async recall(repository: string, key: string): Promise<RememberedOutcome | undefined> {
    return await this.#whileOpen(() => this.#journal.recall(repository, key))
  }

  async remember(repository: string, requests: readonly KeyedRequest[]): Promise<void> {
    await this.#whileOpen(() => this.#journal.remember(repository, requests))
  }

  async createRepository(
    repository: string,
    objectFormat: ObjectFormat,
    { defaultBranch, request }: CreationOptions = {}
  ): Promise<Creation> {
    checkName(repository)
    return await this.#change(async () => {
      const existing = await this.#directories.inspect(repository)
      const info = existing?.info ?? { repository, objectFormat, defaultBranch: defaultBranch ?? initialBranch }
      const creation = { info, created: existing === undefined }
      const requests = await this.#journal.unknown(repository, request?.(creation))
      if (existing) {
        await this.#journal.remember(repository, requests)
        return creation
      }
      await this.#directories.checkNewName(repository)
      const instance = newInstance()
      await this.#effects.carryOut({ repository, effect: 'creation', instance, moves: [], requests }, () =>
        this.#directories.create({ repository, objectFormat, defaultBranch }, instance)
      )
      this.#opener.created(repository)
      return creation
    })
  }

  async updateRepository(
    repository: string,
    defaultBranch: string,
    request?: KeyedBy<RepositoryInfo>
  ): Promise<RepositoryInfo> {
    checkName(repository)
    return await this.#change(async () => {
      const existing = await this.#directories.inspect(repository)
      const instance = await this.#directories.instanceOf(repository)
      if (!existing || instance === undefined) throw repositoryNotFound(repository)
      const info = { ...servable(existing), defaultBranch }
      const requests = await this.#journal.unknown(repository, request?.(info))
      const intent = { repository, effect: 'default_branch', instance, moves: [], defaultBranch, requests } as const
      await this.#effects.carryOut(intent, () => this.#use(repository, (found) => found.chooseBranch(defaultBranch)))
      return info
    })
  }

  /** At once where it is open. */
  getRepository(repository: string): Promise<RepositoryInfo | undefined> | RepositoryInfo {
    if (this.#closing) throw storeClosed()
    return this.#open.peek(repository)?.info ?? this.#opener.find(repository)
  }

  async gitDirectory(repository: string): Promise<string> {
    return await this.#use(repository, async () => this.#directories.pathOf(repository))
  }

  async listRepositories(page: PageRequest): Promise<RepositoryInfo[]> {
    return await this.#whileOpen(() => this.#directories.infos(page))
  }

  async deleteRepository(repository: string, request?: KeyedBy<boolean>): Promise<boolean> {
    checkName(repository)
    return await this.#change(async () => {
      const instance = await this.#directories.instanceOf(repository)
      const deleted = instance !== undefined
      const requests = await this.#journal.unknown(repository, request?.(deleted))
      if (!deleted) {
        await this.#journal.remember(repository, requests)
        return deleted
      }
      await this.#open.exclude(repository, async () => {
        await this.#effects.carryOut({ repository, effect: 'deletion', instance, moves: [], requests }, () =>
          this.#directories.delete(repository)
        )
        this.#opener.deleted(repository)
      })
      this.#journal.events.end(repository, instance)
      await this.#uploads.forget(repository)
      return deleted
    })
  }

  async putObjects(repository: string, objects: readonly NewObject[], incarnation?: string): Promise<void> {
    await this.#use(repository, (found) => found.putObjects(objects), incarnation)
  }

  async readDeflated(repository: string, oids: readonly string[], maxBytes: number) {
    return await this.#use(repository, (found) => found.readDeflated(oids, maxBytes))
  }

  async readObjects(repository: string, oids: readonly string[], maxBytes: number) {
    return await this.#use(repository, (found) => found.readObjects(oids, maxBytes))
  }

  async hasObjects(repository: string, oids: readonly string[]): Promise<(ObjectInfo | undefined)[]> {
    return await this.#use(repository, (found) => found.hasObjects(oids))
  }

  async commitsFrom(repository: string, tips: readonly string[], count: number): Promise<string[]> {
    return await this.#use(repository, (found) => found.commitsFrom(tips, count))
  }

  async shallowCommits(repository: string): Promise<ReadonlySet<string>> {
    return await this.#use(repository, (found) => found.shallowCommits())
  }

  openPackIntake(repository: string, incarnation?: string): Promise<PackIntake> {
    return openPackIntake((work) => this.#use(repository, work, incarnation))
  }

  async listRefs(repository: string, page: PageRequest): Promise<StoredRef[]> {
    return await this.#use(repository, (found) => found.listRefs(page))
  }

  async readHead(repository: string): Promise<Head> {
    return await this.#use(repository, (found) => found.readHead())
  }

  async readRefs(repository: string, names: readonly string[]): Promise<(string | undefined)[]> {
    return await this.#use(repository, (found) => found.readRefs(names))
  }

  async updateRefs(repository: string, moves: readonly RefMove[], records: MoveRecords = {}): Promise<RefMismatch[]> {
    return await this.#use(repository, (found) => found.updateRefs(moves, records), records.incarnation)
  }

  async readEvents(repository: string, request: EventRequest): Promise<EventPage> {
    return await this.#whileOpen(() => this.#events.read(repository, request))
  }

  async oldestEvents(repository: string): Promise<EventCursor> {
    return await this.#whileOpen(() => this.#events.oldest(repository))
  }

  onEvents(listener: (repository: string) => void): () => void {
    return this.#journal.events.listeners.add(listener)
  }

  async refsAt(repository: string, page: PageRequest): Promise<RefsAt> {
    return await this.#use(repository, (found) => found.refsAt(page))
  }

  boundUploads(bounds: UploadBounds): void {
    this.#uploads.bound(bounds)
  }

  async openUpload(repository: string, id: string, size: number | undefined): Promise<UploadWriter> {
    return await this.#whileOpen(() => this.#uploads.open(repository, id, size))
  }

  async uploadState(repository: string, id: string): Promise<UploadState | undefined> {
    return await this.#whileOpen(() => this.#uploads.state(repository, id))
  }

  async cancelUpload(repository: string, id: string): Promise<boolean> {
    return await this.#whileOpen(() => this.#uploads.cancel(repository, id))
  }

  async openObject(repository: string, oid: string): Promise<ObjectContent | undefined> {
    return await this.#use(repository, (found) => found.openObject(oid))
  }

  close(): Promise<void> {
    const close = async () => {
      await this.#lastChange
      await this.#uploads.close()
      await this.#open.close()
      await this.#journal.close()
      await this.#lock.release()
    }
    this.#closing ??= close()
    return this.#closing
  }

  async #whileOpen<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing) throw storeClosed()
    return await work()
  }

  async #use<T>(repository: string, work: (found: GitRepository) => Promise<T>, incarnation?: string): Promise<T> {
    return await this.#whileOpen(() => this.#open.use(repository, work, incarnation))
  }

  /** Repositories are created, changed and deleted one after the other, so that two calls cannot meet half-way. */
  #change<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing) return Promise.reject(storeClosed())
    const result = this.#lastChange.then(work)
    this.#lastChange = result.catch(() => {})
    return result
  }
}
