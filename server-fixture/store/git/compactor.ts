import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type GitPlace, runGit } from './git-process.ts'

/**
 * Keeps the number of packs small: every lookup may ask each of them. `git repack --geometric=2` joins the smallest
 * packs until each is at least twice as large as the next smaller one, so that an object is rewritten about log2(n)
 * times in all. It takes every object of the packs it joins, reachable or not, and loose ones too (git-repack(1)),
 * which matters here: an object that nothing points to may be pointed to by the next call.
 */
export class Compactor {
  readonly #place: GitPlace & { readonly gitDir: string }
  readonly #maxPacks: number
  readonly #pauseMs: number
  readonly #onCompacted: () => void
  #packs = 0
  #moved = 0
  #resting: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #closed = false

  /**
   * @param options.maxPacks with more packs than this, they are joined
   * @param options.pauseMs rest between two runs, so that a long burst of writes is not slowed all the time
   * @param options.onCompacted old packs are gone; processes that have them open may let go of them
   */
  constructor(
    place: GitPlace & { readonly gitDir: string },
    options: { maxPacks: number; pauseMs: number; onCompacted: () => void }
  ) {
    this.#place = place
    this.#maxPacks = options.maxPacks
    this.#pauseMs = options.pauseMs
    this.#onCompacted = options.onCompacted
  }

  /** Counts the beginnings and ends of runs: odd while packs are being joined. */
  get moved(): number {
    return this.#moved
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
    if (this.#packs <= this.#maxPacks || this.#running || this.#resting || this.#closed) return
    this.#moved++
    this.#running = this.#run().finally(() => {
      this.#moved++
      this.#running = undefined
      if (!this.#closed) this.#rest()
    })
  }

  /** Looks again when it is over: the burst that made the packs may have ended, and nothing else would. */
  #rest(): void {
    this.#resting = setTimeout(() => {
      this.#resting = undefined
      this.#runIfNeeded()
    }, this.#pauseMs).unref()
  }

  /** A run that fails changes nothing, and is tried again later: what is stored is safe without it. */
  async #run(): Promise<void> {
    try {
      // No search for deltas (--window=0): objects are copied as they are, which takes a tenth of the time.
      await runGit(this.#place, ['repack', '-d', '-n', '-q', '--geometric=2', '--window=0'])
      this.#packs = await this.#count()
      this.#onCompacted()
    } catch {
      this.#packs = 0
    }
  }

  async #count(): Promise<number> {
    const names = await readdir(join(this.#place.gitDir, 'objects', 'pack'))
    return names.filter((name) => name.endsWith('.idx')).length
  }
}
