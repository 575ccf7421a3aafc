/** Keeps the number of packs of a repository small with `git repack --geometric`. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type RepositoryContext, runGit } from './git-process.ts'

/** When packs are joined. */
export interface RepackOptions {
  /** With more packs than this, a run begins. */
  readonly maxPacks: number
  /** Rest between two runs, so that a long burst of writes is not slowed all the time. */
  readonly pauseMs: number
  /** Old packs are gone; processes that have them open may let go of them. */
  readonly onRepacked: () => void
}

/**
 * Joins packs in the background, because every lookup may ask each of them. `git repack --geometric=2` joins the
 * smallest packs until each is at least twice as large as the next smaller one, so that an object is rewritten about
 * log2(n) times in all. It takes every object of the packs it joins, reachable or not, and loose ones too
 * (git-repack(1)), which matters here: an object that nothing points to may be pointed to by the next call.
 */
export class Repacker {
  readonly #context: RepositoryContext
  readonly #options: RepackOptions
  #packs = 0
  #sequence = 0
  #resting: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #closed = false

  constructor(context: RepositoryContext, options: RepackOptions) {
    this.#context = context
    this.#options = options
  }

  /** Counts the beginnings and ends of runs, as a sequence lock does: odd while packs are being joined. */
  get sequence(): number {
    return this.#sequence
  }

  /** Counts the packs that are there, and joins them if they are too many. */
  async start(): Promise<void> {
    this.#packs = await this.#count()
    this.#runIfNeeded()
  }

  /** A pack was added. */
  packAdded(): void {
    this.#packs++
    this.#runIfNeeded()
  }

  /** Waits for a run under way; none begins afterwards. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#resting)
    await this.#running
  }

  #runIfNeeded(): void {
    if (this.#packs <= this.#options.maxPacks || this.#running || this.#resting || this.#closed) return
    this.#sequence++
    this.#running = this.#run().finally(() => {
      this.#sequence++
      this.#running = undefined
      if (!this.#closed) this.#rest()
    })
  }

  /** Looks again when the rest is over: the burst that made the packs may have ended, and nothing else would. */
  #rest(): void {
    this.#resting = setTimeout(() => {
      this.#resting = undefined
      this.#runIfNeeded()
    }, this.#options.pauseMs).unref()
  }

  /** A run that fails changes nothing, and is tried again later: stored objects are safe without it. */
  async #run(): Promise<void> {
    try {
      // No search for deltas (--window=0): objects are copied as they are, which takes a tenth of the time.
      await runGit(this.#context, ['repack', '-d', '-n', '-q', '--geometric=2', '--window=0'])
      this.#packs = await this.#count()
      this.#options.onRepacked()
    } catch {
      this.#packs = 0
    }
  }

  async #count(): Promise<number> {
    const names = await readdir(join(this.#context.gitDir, 'objects', 'pack'))
    return names.filter((name) => name.endsWith('.idx')).length
  }
}
