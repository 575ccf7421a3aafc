/** The store for tests and benchmarks: nothing outlives the process. */
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { RefMismatch } from '../../src/core/error.ts'
import { type ObjectFormat, zeroOid } from '../../src/git/oid.ts'
import { BlockList } from './block-list.ts'
import type { ObjectContent, UploadBounds, UploadState, UploadWriter } from './large-content.ts'
import { MemoryContent } from './memory-content.ts'
import { MemorySpools } from './memory-spools.ts'
import { repositoryNotFound, SortedNames } from './name-page.ts'
import { ObjectTable } from './object-table.ts'
import {
  checkNameConflicts,
  checkTargets,
  compareRefs,
  firstBranch,
  followedBranches,
  initialBranch,
  makesBranch
} from './ref-rules.ts'
import { RequestTable } from './request-table.ts'
import type {
  Creation,
  CreationOptions,
  Head,
  KeyedBy,
  KeyedRequest,
  NewObject,
  ObjectInfo,
  PageRequest,
  RefMove,
  RememberedOutcome,
  RepositoryInfo,
  Store,
  StoredObject,
  StoredRef
} from './store.ts'
import { Uploads } from './uploads/uploads.ts'
import { memoryVitals, type StoreVitals } from './vitals.ts'

interface MemoryRepository {
  info: RepositoryInfo
  /** Somebody chose the default branch. */
  isChosen: boolean
  readonly objects: ObjectTable
  readonly refs: Map<string, string>
  readonly refNames: SortedNames
}

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

  readonly vitals: StoreVitals

  /** @param clock of abandoned uploads */
  constructor(clock: Clock = systemClock) {
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
    const info = existing
      ? infoOf(existing)
      : { repository, objectFormat, defaultBranch: defaultBranch ?? initialBranch }
    const creation = { info, created: existing === undefined }
    if (request) this.#rememberNew(repository, [request(creation)])
    if (existing === undefined) {
      const refs = new Map<string, string>()
      const objects = new ObjectTable(objectFormat)
      const isChosen = defaultBranch !== undefined
      this.#repositories.set(repository, { info, isChosen, objects, refs, refNames: new SortedNames(refs) })
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
    const deleted = this.#repositories.has(repository)
    if (request) this.#rememberNew(repository, [request(deleted)])
    this.#repositories.delete(repository)
    this.#names.changed()
    this.#spools.removeAll(repository)
    await this.#uploads.forget(repository)
    return deleted
  }

  putObjects(repository: string, objects: readonly NewObject[]): Promise<void> | undefined {
    const stored = this.#find(repository).objects
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
    requests: readonly KeyedRequest[] = []
  ): Promise<RefMismatch[]> {
    this.#requests.checkNew(repository, requests)
    const found = this.#find(repository)
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
    return []
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

  #find(repository: string): MemoryRepository {
    const found = this.#repositories.get(repository)
    if (!found) throw repositoryNotFound(repository)
    return found
  }

  #infos({ objects }: MemoryRepository, oids: readonly string[]): (ObjectInfo | undefined)[] {
    return oids.map((oid) => {
      const object = objects.get(oid)
      return object && { kind: object.kind, size: object.content.length }
    })
  }
}

/** With the branch that HEAD names now. */
const infoOf = (found: MemoryRepository): RepositoryInfo => ({ ...found.info, defaultBranch: headOf(found).ref })

/** HEAD follows the branches where it names one that does not exist and that nobody chose. */
function headOf({ info: { defaultBranch: ref }, isChosen, refs, refNames }: MemoryRepository): Head {
  const oid = refs.get(ref)
  if (oid !== undefined || isChosen) return { ref, oid, isFree: false }
  const branches = refNames.page({ prefix: 'refs/heads/', after: '', limit: 2 })
  const followed = followedBranches(branches).find((name) => refs.has(name))
  return followed === undefined
    ? { ref, oid: undefined, isFree: branches.length === 0 }
    : { ref: followed, oid: refs.get(followed), isFree: false }
}
