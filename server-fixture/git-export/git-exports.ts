/** Exports of the repositories of a store as bare Git repositories, kept fresh on demand, by any number of processes. */
import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BlobwireError } from '../../src/core/error.ts'
import type { EventCursor } from '../store/events.ts'
import { checkName } from '../store/git/repository-directories.ts'
import { repositoryNotFound } from '../store/name-page.ts'
import type { Store } from '../store/store.ts'
import { isExport, removeExport, withExportDirectory } from './export-directory.ts'
import { exportedCursor, readExportedHead } from './exported-refs.ts'
import { type Refreshed, refresh } from './git-export.ts'
import { headText } from './store-refs.ts'

/** Options of `GitExports`. */
export interface GitExportsOptions {
  /**
   * Program that runs as `git`.
   *
   * @default 'git'
   */
  readonly gitProgram?: string
  /**
   * Packs of one export: each refresh with new objects makes one, and more than these are joined.
   *
   * @default 50
   */
  readonly maxPacks?: number
  /**
   * Waits before each refresh until there is room for its processes; the returned function is called after it.
   *
   * @default no bound
   */
  readonly acquire?: (signal: AbortSignal | undefined) => Promise<() => void>
}

/** Options of `GitExports.bring`. */
export interface BringOptions {
  /**
   * The path of the bare repository.
   *
   * @default `pathOf(repository)`
   */
  readonly path?: string
  /**
   * Lists all refs, where other programs move refs of the store without an event, as they can in a Git store.
   *
   * @default false
   */
  readonly readsAllRefs?: boolean
  /** Ends the waiting of this call; a refresh that has begun is completed, for whoever comes next. */
  readonly signal?: AbortSignal | undefined
}

/** An export that is up to date. */
export interface Brought extends Refreshed {
  /** Of the bare repository. */
  readonly path: string
  /** False = it was up to date. `objects` and `refs` are 0 then. */
  readonly isRefreshed: boolean
}

/** What the store has now. */
interface Present {
  readonly cursor: EventCursor
  readonly head: string
}

/**
 * The exports of a store. `a/b` is exported as the bare repository `a/b.git` of the directory. Processes on one machine
 * may share the directory: a lock in each export lets one of them write at a time. Programs only read from it.
 */
export class GitExports {
  readonly #store: Store
  readonly #directory: string
  readonly #program: string
  readonly #maxPacks: number
  readonly #acquire: GitExportsOptions['acquire']
  /** The last call for each path: this process asks for a lock once at a time. */
  readonly #turns = new Map<string, Promise<unknown>>()
  readonly #closing = new AbortController()

  constructor(store: Store, directory: string, { gitProgram = 'git', maxPacks = 50, acquire }: GitExportsOptions = {}) {
    this.#store = store
    this.#directory = directory
    this.#program = gitProgram
    this.#maxPacks = maxPacks
    this.#acquire = acquire
  }

  /** Where the export of this repository is, once it was brought up to date. */
  pathOf(repository: string): string {
    checkName(repository)
    return `${join(this.#directory, ...repository.split('/'))}.git`
  }

  /**
   * Brings the export up to date: it has all that the store had acknowledged when this was called, or more. Where nothing
   * has changed, that takes two questions to the store, asked together, and the reading of two small files.
   *
   * @throws BlobwireError `not_found`, reason `repository`: the export is removed then; `data_loss`, reason `integrity`,
   *   where objects are missing in the store; `failed_precondition`, reason `data_format`, where the path holds something
   *   else; `unavailable`. The export stays as it was.
   */
  async bring(
    repository: string,
    { path = this.pathOf(repository), readsAllRefs = false, signal }: BringOptions = {}
  ): Promise<Brought> {
    try {
      const present = await this.#present(repository)
      if (!readsAllRefs && (await isFresh(path, present))) return unchanged(path)
      const work = async () => {
        // Another call has done it meanwhile.
        if (!readsAllRefs && (await isFresh(path, present))) return unchanged(path)
        const release = await this.#acquire?.(ending)
        try {
          return { path, isRefreshed: true, ...(await this.#refresh(repository, path, { readsAllRefs, ...present })) }
        } finally {
          release?.()
        }
      }
      const ending = AbortSignal.any([this.#closing.signal, ...(signal ? [signal] : [])])
      return await this.#inTurn(path, () => withExportDirectory({ path, repository, signal: ending }, work), signal)
    } catch (error) {
      if (error instanceof BlobwireError && error.reason === 'repository') await this.#remove(repository, path)
      throw error
    }
  }

  /**
   * The path of the export as it is, however old: it may lack all that came since. Undefined = there is none, or one of an
   * earlier repository of the name.
   *
   * @throws BlobwireError `not_found`, reason `repository`
   */
  async find(repository: string): Promise<string | undefined> {
    const path = this.pathOf(repository)
    const [{ cursor }, exported] = await Promise.all([
      this.#store.readEvents(repository, { limit: 0 }),
      exportedCursor(path)
    ])
    return exported?.incarnation === cursor.incarnation ? path : undefined
  }

  /** Ends the exports that are under way: they leave nothing behind. */
  async close(): Promise<void> {
    const message = 'the server is shutting down, and exports nothing more'
    this.#closing.abort(new BlobwireError({ reason: 'store_closed', message }))
    await Promise.allSettled(this.#turns.values())
  }

  async #present(repository: string): Promise<Present> {
    const [{ cursor }, head] = await Promise.all([
      this.#store.readEvents(repository, { limit: 0 }),
      headText(this.#store, repository)
    ])
    return { cursor, head }
  }

  /** A repository that is deleted and created again meanwhile is exported from the beginning: nothing of two is mixed. */
  async #refresh(
    repository: string,
    gitDir: string,
    { readsAllRefs, cursor }: Present & { readsAllRefs: boolean }
  ): Promise<Refreshed> {
    const context = { program: this.#program, gitDir }
    for (let { incarnation } = cursor; ; ) {
      const info = await this.#store.getRepository(repository)
      if (info === undefined) throw repositoryNotFound(repository)
      try {
        const { signal } = this.#closing
        const target = { store: this.#store, info, incarnation, context, maxPacks: this.#maxPacks, signal }
        return await refresh(target, readsAllRefs)
      } catch (error) {
        const now = await this.#store.readEvents(repository, { limit: 0 })
        if (now.cursor.incarnation === incarnation) throw error
        incarnation = now.cursor.incarnation
      }
    }
  }

  async #remove(repository: string, path: string): Promise<void> {
    if (!(await isExport(path, repository))) return
    await this.#inTurn(path, async () => {
      await withExportDirectory({ path, repository }, async () => {
        // It may have been created again, and exported.
        if ((await this.#store.getRepository(repository)) === undefined) await removeExport(path)
      })
      // Where another process waits for the lock, the directory is not empty.
      await rmdir(path).catch(() => undefined)
    })
  }

  #inTurn<T>(path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const run = () => {
      this.#closing.signal.throwIfAborted()
      signal?.throwIfAborted()
      return work()
    }
    const turn = (this.#turns.get(path) ?? Promise.resolve()).then(run, run)
    this.#turns.set(path, turn)
    const ended = () => {
      if (this.#turns.get(path) === turn) this.#turns.delete(path)
    }
    turn.then(ended, ended)
    return untilAborted(turn, signal)
  }
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    const ended = () => signal.removeEventListener('abort', stop)
    work.then(resolve, reject).then(ended)
  })
}

const unchanged = (path: string): Brought => ({ path, isRefreshed: false, objects: 0, refs: 0 })

/** Whether the export has all that was there, or more. */
async function isFresh(path: string, { cursor, head }: Present): Promise<boolean> {
  const [exported, exportedHead] = await Promise.all([exportedCursor(path), readExportedHead(path)])
  return (
    exported !== undefined &&
    exported.incarnation === cursor.incarnation &&
    exported.sequence >= cursor.sequence &&
    exportedHead === head
  )
}
