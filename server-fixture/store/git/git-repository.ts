/** One open bare repository of the Git store. */
import { BlobwireError, type RefMismatch } from '../../../src/core/error.ts'
import { isZeroOid } from '../../../src/git/oid.ts'
import type { BoundedCache } from '../bounded-cache.ts'
import { PutGatherer } from '../gathering/put-gatherer.ts'
import type { ObjectContent } from '../large-content.ts'
import { makesBranch } from '../ref-rules.ts'
import type {
  DeflatedBlob,
  Head,
  MoveRecords,
  NewObject,
  ObjectInfo,
  PageRequest,
  RefMove,
  RefsAt,
  RepositoryInfo,
  StoredObject,
  StoredRef
} from '../store.ts'
import { listCommits } from './commit-list.ts'
import { DefaultBranch } from './default-branch.ts'
import { DeflatedReader } from './deflated-reader.ts'
import { fsyncDirectory } from './fsync.ts'
import type { RepositoryContext } from './git-process.ts'
import { chooseBranch } from './head-file.ts'
import { IncomingDirectory } from './incoming-directory.ts'
import type { CompletePack } from './large/git-spool.ts'
import { installPack } from './large/install-pack.ts'
import { type OpenObjectContext, openObject } from './large/open-object.ts'
import { ObjectReader } from './object-reader.ts'
import { PackDirectory } from './pack-directory.ts'
import { PackInstaller } from './pack-installer.ts'
import { takePacks } from './pack-intake.ts'
import { type Journaled, RefMover } from './ref-mover.ts'
import { RefStore } from './ref-store.ts'
import { Repacker, type RepackOptions } from './repack.ts'
import { ShallowFile } from './shallow-file.ts'

/** How a repository is kept. */
export interface GitRepositoryOptions extends RepackOptions {
  /** Packs written at the same time. */
  readonly packsInFlight: number
}

/**
 * Objects are remembered as written for this long, and half of the grace period at most: an object that is answered
 * without being written is protected by the `.keep` file of the pack in which it was.
 */
const maxRecentMs = 3_600_000

interface OpenOptions extends GitRepositoryOptions {
  readonly journaled: Journaled
  /** Names of refs between two pages of a listing. */
  readonly refNames?: BoundedCache<readonly string[]>
  readonly onHousekeepingFailure: (error: unknown) => void
}

/** One open repository: its processes, its pending calls, and the methods of `Store` that take a repository. */
export class GitRepository {
  readonly info: RepositoryInfo
  readonly #context: RepositoryContext
  readonly #packs: PackDirectory
  readonly #installer: PackInstaller
  readonly #writer: PutGatherer
  readonly #reader: ObjectReader
  readonly #deflated: DeflatedReader
  readonly #objects: OpenObjectContext
  readonly #refs: RefStore
  readonly #mover: RefMover
  readonly #head: DefaultBranch
  readonly #shallow: ShallowFile
  readonly #repacker: Repacker
  readonly #journaled: Journaled
  #calls = 0
  #noCalls: PromiseWithResolvers<void> | undefined
  #closing: Promise<void> | undefined

  constructor(context: RepositoryContext, info: RepositoryInfo, options: OpenOptions) {
    this.info = info
    this.#context = context
    this.#journaled = options.journaled
    this.#packs = new PackDirectory(context.gitDir, {
      keepsNew: options.gracePeriodHours > 0,
      onLoss: () => {
        this.#letGo()
        this.#writer.forget()
      }
    })
    this.#reader = new ObjectReader(context, { format: info.objectFormat, packs: this.#packs })
    this.#deflated = new DeflatedReader(this.#packs.path, info.objectFormat)
    this.#objects = { context, format: info.objectFormat, reader: this.#reader, packs: this.#packs }
    this.#refs = new RefStore(context, options.refNames)
    this.#shallow = new ShallowFile(context.gitDir)
    this.#head = new DefaultBranch(context.gitDir, this.#refs.files)
    this.#mover = new RefMover(context, {
      format: info.objectFormat,
      refs: this.#refs,
      objects: this.#reader,
      packs: this.#packs,
      journaled: options.journaled
    })
    this.#installer = new PackInstaller(context, info.objectFormat, this.#packs)
    this.#repacker = new Repacker(context, options, {
      packs: this.#packs,
      onRepacked: () => this.#letGo(),
      onFailure: options.onHousekeepingFailure
    })
    const install = async (objects: readonly NewObject[], expectMore: boolean) => {
      const { steps } = options.journaled
      this.#repacker.packAdded(await steps.timed('pack', () => this.#installer.install(objects, expectMore)))
    }
    this.#writer = new PutGatherer(install, {
      runsInFlight: options.packsInFlight,
      confirm: () => this.#packs.look(),
      maxRecentMs: Math.min(maxRecentMs, (options.gracePeriodHours * 3_600_000) / 2)
    })
  }

  /** Packs have gone that git's processes may have open. */
  #letGo(): void {
    this.#reader.recycle()
    void this.#mover.recycle()
  }

  /** Begins to keep the number of packs small. */
  async start(): Promise<void> {
    await this.#repacker.start()
  }

  /** Stores objects durably. */
  putObjects(objects: readonly NewObject[]): Promise<void> {
    return this.#call(() => this.#writer.put(objects))
  }

  /** Reads objects, without contents above `maxBytes`. */
  readObjects(oids: readonly string[], maxBytes: number): Promise<(StoredObject | undefined)[]> {
    return this.#call(() => this.#reader.objects(oids, maxBytes))
  }

  /** Reads blobs deflated; undefined = by `readObjects`. */
  readDeflated(oids: readonly string[], maxBytes: number): Promise<(DeflatedBlob | undefined)[]> {
    return this.#call(() => this.#deflated.read(oids, maxBytes))
  }

  /** Kind and size of objects. */
  hasObjects(oids: readonly string[]): Promise<(ObjectInfo | undefined)[]> {
    return this.#call(() => this.#reader.infos(oids))
  }

  /** Opens an object for reading in parts. */
  openObject(oid: string): Promise<ObjectContent | undefined> {
    return this.#call(() => openObject(this.#objects, oid))
  }

  /** Whether the object is there, with its place on disk: it may have been moved in without a sync that succeeded. */
  holds(oid: string): Promise<boolean> {
    return this.#call(async () => {
      const [found] = await this.#reader.infos([oid])
      if (found) await fsyncDirectory(this.#packs.path)
      return found !== undefined
    })
  }

  /** Takes in a pack with one blob, durably. */
  installPack(pack: CompletePack): Promise<void> {
    return this.#call(async () => {
      await installPack(this.#objects, this.#packs, pack)
      this.#repacker.packAdded()
    })
  }

  /** Makes a directory for packs that another program writes. */
  makeIncoming(): Promise<IncomingDirectory> {
    return this.#call(async () => {
      const incoming = new IncomingDirectory(this.#context.gitDir)
      await incoming.make()
      return incoming
    })
  }

  /** Takes in packs that another program has written, durably. */
  takePacks(incoming: IncomingDirectory): Promise<void> {
    return this.#call(async () => {
      const taken = await takePacks(this.#packs, incoming)
      for (let count = 0; count < taken; count++) this.#repacker.packAdded()
    })
  }

  /** A hint: the commits that come next. */
  commitsFrom(tips: readonly string[], count: number): Promise<string[]> {
    return this.#call(() => listCommits(this.#context, tips, count))
  }

  /** The commits at which a shallow history ends. */
  shallowCommits(): Promise<ReadonlySet<string>> {
    return this.#call(() => this.#shallow.oids())
  }

  /** A page of refs. */
  listRefs(page: PageRequest): Promise<StoredRef[]> {
    return this.#call(() => this.#refs.list(page))
  }

  /** HEAD as the service shows it. */
  readHead(): Promise<Head> {
    return this.#call(async () => this.#head.read())
  }

  /** Oids of refs. */
  readRefs(names: readonly string[]): Promise<(string | undefined)[]> {
    return this.#call(() => this.#refs.read(names))
  }

  /** A page of refs, while none of them moves. */
  async refsAt(page: PageRequest): Promise<RefsAt> {
    const { journal, instance } = this.#journaled
    const read = async () => {
      // Events that came late count once they are written.
      await journal.flush()
      const refs = await this.listRefs(page)
      return { refs, cursor: { incarnation: instance, sequence: journal.events.positionOf(instance) } }
    }
    return await this.#mover.inTurn(read)
  }

  /** Moves refs, all or none, and writes the records down with them. */
  async updateRefs(moves: readonly RefMove[], records: MoveRecords): Promise<RefMismatch[]> {
    try {
      return await this.#call(() => this.#moveRefs(moves, records))
    } finally {
      if (moves.some(({ expectedOid, newOid }) => isZeroOid(expectedOid) || isZeroOid(newOid)))
        this.#refs.namesChanged()
    }
  }

  async #moveRefs(moves: readonly RefMove[], records: MoveRecords): Promise<RefMismatch[]> {
    const { requests = [], objects = [] } = records
    await this.#journaled.journal.unknown(this.info.repository, ...requests)
    if (objects.length > 0) await this.#writer.put(objects)
    const mismatches = await this.#mover.update(moves, records)
    if (mismatches.length === 0 && moves.some(makesBranch)) {
      // The moves are made, whether HEAD can be written or not; reads follow the branches in any case.
      const isFree = await this.#head.isFree().catch(() => false)
      if (isFree) await this.#mover.inTurn(() => this.#head.settle(moves)).catch(() => undefined)
    }
    return [...mismatches]
  }

  /** Has HEAD name a branch, durably. */
  chooseBranch(branch: string): Promise<void> {
    return this.#call(() => this.#mover.inTurn(() => chooseBranch(this.#context.gitDir, branch)))
  }

  /** Whether moves were made whose outcome is unknown; see `RefMover.settle`. */
  settleMoves(moves: readonly RefMove[]): Promise<boolean> {
    return this.#call(() => this.#mover.settle(moves))
  }

  /**
   * Waits for the calls under way, then ends every process. Later calls throw `unavailable`, reason
   * `repository_closed`.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#calls > 0) {
      this.#noCalls = Promise.withResolvers()
      await this.#noCalls.promise
    }
    await this.#writer.drain()
    await this.#repacker.close()
    await Promise.all([this.#reader.close(), this.#deflated.close(), this.#mover.recycle(), this.#installer.close()])
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing) throw repositoryClosed(this.info.repository)
    this.#calls++
    try {
      return await work()
    } finally {
      this.#calls--
      if (this.#calls === 0) this.#noCalls?.resolve()
    }
  }
}

/** A retry opens the repository again, or finds that it was deleted. */
function repositoryClosed(repository: string): BlobwireError {
  const message = `the repository ${repository} was closed during the call`
  return new BlobwireError({ reason: 'repository_closed', message })
}
