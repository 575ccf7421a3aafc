import { BlobwireError, type RefMismatch } from '../../../src/core/error.ts'
import type { NewObject, ObjectInfo, PageRequest, RefMove, RepositoryInfo, StoredObject, StoredRef } from '../store.ts'
import { Compactor } from './compactor.ts'
import type { GitPlace } from './git-process.ts'
import { ObjectReader } from './object-reader.ts'
import { ObjectWriter } from './object-writer.ts'
import { PackInstaller } from './pack-installer.ts'
import { RefStore } from './ref-store.ts'

/** How a repository is kept. */
export interface GitRepositoryOptions {
  /** With more packs than this, they are joined in the background. */
  readonly maxPacks: number
  /** Rest between two runs of that, in milliseconds. */
  readonly compactPauseMs: number
  /** Packs written at the same time. */
  readonly packsInFlight: number
}

/** One open repository: its processes, what is under way in it, and the methods of `Store` that take a repository. */
export class GitRepository {
  readonly info: RepositoryInfo
  readonly #installer: PackInstaller
  readonly #writer: ObjectWriter
  readonly #reader: ObjectReader
  readonly #refs: RefStore
  readonly #compactor: Compactor
  #calls = 0
  #noCalls: PromiseWithResolvers<void> | undefined
  #closing: Promise<void> | undefined

  constructor(place: GitPlace & { readonly gitDir: string }, info: RepositoryInfo, options: GitRepositoryOptions) {
    this.info = info
    this.#reader = new ObjectReader(place, info.objectFormat, () => this.#compactor.moved)
    this.#refs = new RefStore(place, info.objectFormat, this.#reader)
    this.#installer = new PackInstaller(place, info.objectFormat)
    this.#compactor = new Compactor(place, {
      maxPacks: options.maxPacks,
      pauseMs: options.compactPauseMs,
      onCompacted: () => {
        this.#reader.recycle()
        void this.#refs.recycle()
      }
    })
    this.#writer = new ObjectWriter(async (objects, expectMore) => {
      await this.#installer.install(objects, expectMore)
      this.#compactor.packAdded()
    }, options.packsInFlight)
  }

  /** Begins to look after the number of packs. */
  async start(): Promise<void> {
    await this.#compactor.start()
  }

  /** Stores objects durably. */
  putObjects(objects: readonly NewObject[]): Promise<void> {
    return this.#call(() => this.#writer.put(objects))
  }

  /** Reads objects, without contents above `maxBytes`. */
  readObjects(oids: readonly string[], maxBytes: number): Promise<(StoredObject | undefined)[]> {
    return this.#call(() => this.#reader.objects(oids, maxBytes))
  }

  /** Kind and size of objects. */
  hasObjects(oids: readonly string[]): Promise<(ObjectInfo | undefined)[]> {
    return this.#call(() => this.#reader.infos(oids))
  }

  /** A page of refs. */
  listRefs(page: PageRequest): Promise<StoredRef[]> {
    return this.#call(() => this.#refs.list(page))
  }

  /** Oids of refs. */
  readRefs(names: readonly string[]): Promise<(string | undefined)[]> {
    return this.#call(() => this.#refs.read(names))
  }

  /** Moves refs, all or none. */
  updateRefs(moves: readonly RefMove[]): Promise<RefMismatch[]> {
    return this.#call(() => this.#refs.update(moves))
  }

  /** Waits for the calls under way, then ends every process. Later calls throw `unavailable`, reason `repository_closed`. */
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
    await this.#compactor.close()
    await Promise.all([this.#reader.close(), this.#refs.recycle(), this.#installer.close()])
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

/** Tried again, the call finds what there is by then. */
function repositoryClosed(repository: string): BlobwireError {
  const message = `the repository ${repository} was closed meanwhile`
  return new BlobwireError({ code: 'unavailable', reason: 'repository_closed', message })
}
