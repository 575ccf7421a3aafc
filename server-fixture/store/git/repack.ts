/** The store's own housekeeping: it keeps the packs of a repository few and small, in the background. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BlobwireError } from '../../../src/core/error.ts'
import type { RepositoryContext } from './git-process.ts'
import { joinPacks } from './join-packs.ts'
import { isMaintainedByOthers, removeStaleMultiPackIndex } from './other-maintenance.ts'
import type { PackDirectory } from './pack-directory.ts'
import { type Pack, PackList, packsToJoin } from './pack-list.ts'

/** When packs are joined. */
export interface RepackOptions {
  /**
   * Whether packs are joined at all.
   * @default true
   */
  readonly housekeeping: boolean
  /**
   * With more packs than this, a run begins.
   * @default 50
   */
  readonly maxPacks: number
  /**
   * Rest between two runs, so that a long burst of writes is not slowed all the time.
   * @default 1000
   */
  readonly repackPauseMs: number
  /**
   * A run also begins when no pack has been added for so long.
   * @default 2000
   */
  readonly repackQuietMs: number
  /**
   * New objects survive every `git gc`, whether a ref reaches them or not, for at least so long: the `.keep` file of a
   * pack is removed when the pack is older.
   * @default 336 (two weeks, as `gc.pruneExpire` of Git)
   */
  readonly gracePeriodHours: number
}

interface RepackDependencies {
  readonly packs: PackDirectory
  /** Old packs are gone; processes that have them open may let go of them. */
  readonly onRepacked: () => void
  /** Called where a run failed; it is tried again later. */
  readonly onFailure: (error: unknown) => void
}

/** One repository's joining of packs; see `packsToJoin` and `joinPacks`. One run at a time. */
export class Repacker {
  readonly #context: RepositoryContext
  readonly #options: RepackOptions
  readonly #dependencies: RepackDependencies
  readonly #list: PackList
  readonly #closing = new AbortController()
  /** Packs that git could not join: one of them may be damaged. */
  readonly #skipped = new Set<string>()
  /** Packs of this process with contents that are not compressed. */
  readonly #stored = new Set<string>()
  #packs = 0
  /** Packs that the last run left: more than `maxPacks` where others keep many. */
  #left = 0
  #addedAtMs = 0
  #quiet: NodeJS.Timeout | undefined
  #resting: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  constructor(context: RepositoryContext, options: RepackOptions, dependencies: RepackDependencies) {
    this.#context = context
    this.#options = options
    this.#dependencies = dependencies
    this.#list = new PackList(dependencies.packs.path)
  }

  /** Counts the packs that are there, and joins them if they are too many. */
  async start(): Promise<void> {
    this.#packs = await this.#count()
    if (this.#packs > 0) this.#changed()
  }

  /** A pack was added. One whose contents are not compressed is, once it is joined. */
  packAdded({ name, isStored } = { name: '', isStored: false }): void {
    this.#packs++
    if (isStored) this.#stored.add(name)
    this.#changed()
  }

  /** Ends a run under way; none begins afterwards. */
  async close(): Promise<void> {
    this.#closing.abort()
    clearTimeout(this.#quiet)
    clearTimeout(this.#resting)
    await this.#running
  }

  #changed(): void {
    this.#addedAtMs = performance.now()
    this.#awaitQuiet(this.#options.repackQuietMs)
    if (this.#areMany) this.#begin()
  }

  get #areMany(): boolean {
    const { maxPacks } = this.#options
    return this.#packs > Math.max(maxPacks, this.#left + maxPacks / 2)
  }

  /** One timer, however many packs are added. */
  #awaitQuiet(afterMs: number): void {
    this.#quiet ??= setTimeout(() => {
      this.#quiet = undefined
      const rest = this.#addedAtMs + this.#options.repackQuietMs - performance.now()
      if (rest > 0 || this.#running || this.#resting) this.#awaitQuiet(Math.max(rest, this.#options.repackPauseMs))
      else this.#begin()
    }, afterMs).unref()
  }

  #begin(): void {
    if (this.#running || this.#resting || this.#closing.signal.aborted) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      if (!this.#closing.signal.aborted) this.#rest()
    })
  }

  /** Looks again when the rest is over: the burst that made the packs may have ended, and nothing else would. */
  #rest(): void {
    this.#resting = setTimeout(() => {
      this.#resting = undefined
      if (this.#areMany) this.#begin()
    }, this.#options.repackPauseMs).unref()
  }

  /** A run that fails changes nothing, and is tried again later: stored objects are safe without it. */
  async #run(): Promise<void> {
    try {
      if (await isMaintainedByOthers(this.#context.gitDir)) return this.#awaitQuiet(this.#options.repackQuietMs)
      const packs = await this.#list.read()
      const old = Date.now() - this.#options.gracePeriodHours * 3_600_000
      const joined = this.#options.housekeeping ? packsToJoin(packs.filter(({ name }) => !this.#skipped.has(name))) : []
      await this.#release(packs.filter((pack) => pack.isKept && pack.changedAtMs < old && !joined.includes(pack)))
      this.#left = await this.#count()
      if (joined.length > 0) {
        await this.#join(joined.map(({ name }) => name))
        this.#left -= joined.length - 1
      }
      await removeStaleMultiPackIndex(this.#dependencies.packs.path)
      this.#packs = await this.#count()
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#dependencies.onFailure(error)
    }
  }

  async #join(names: readonly string[]): Promise<void> {
    const { packs, onRepacked } = this.#dependencies
    try {
      const compress = names.some((name) => this.#stored.has(name))
      await joinPacks(this.#context, packs, { names, compress, signal: this.#closing.signal })
      for (const name of names) this.#stored.delete(name)
      onRepacked()
    } catch (error) {
      const isRefused = error instanceof BlobwireError && error.reason === 'git_failed'
      const there = new Set(await readdir(packs.path))
      // Where one of them has gone, somebody else has joined or removed it.
      if (isRefused && names.every((name) => there.has(`${name}.pack`)))
        for (const name of names) this.#skipped.add(name)
      throw error
    }
  }

  /** `git gc` then takes these packs, and drops the objects of them that no ref reaches where it is told to. */
  async #release(packs: readonly Pack[]): Promise<void> {
    for (const { name } of packs) await rm(join(this.#dependencies.packs.path, `${name}.keep`), { force: true })
  }

  async #count(): Promise<number> {
    const files = await readdir(this.#dependencies.packs.path)
    return files.filter((file) => file.endsWith('.idx')).length
  }
}
