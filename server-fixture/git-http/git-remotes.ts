/** The repositories of a store as Git reads them: in their own directories, or as exports in a cache. */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { GitExports } from '../git-export/git-exports.ts'
import type { Store } from '../store/store.ts'
import { ProcessSlots } from './process-slots.ts'

/** How repositories are served to Git's clients. */
export interface GitRemotesOptions {
  /**
   * Directory of the exports of stores that hold no bare repositories.
   * @default a temporary directory, removed at the end
   */
  readonly cache?: string | undefined
  /**
   * Processes at once that make packs.
   * @default two for each core
   */
  readonly maxProcesses?: number | undefined
}

/** Requests wait for a process in this number and for this time. */
const waiting = { maxWaiting: 200, maxWaitMs: 120_000 }
/** Processes that tell refs: each takes some milliseconds, and none waits behind a clone. */
const maxLightProcesses = 4

export class GitRemotes {
  readonly program = 'git'
  /** Of processes that make or take in packs. */
  readonly packs: ProcessSlots
  /** Of processes that tell refs. */
  readonly light: ProcessSlots
  readonly #store: Store
  readonly #cache: string | undefined
  #exports: Promise<GitExports> | undefined
  #temporary: string | undefined

  constructor(store: Store, { cache, maxProcesses = 2 * availableParallelism() }: GitRemotesOptions = {}) {
    this.#store = store
    this.#cache = cache
    this.packs = new ProcessSlots({ max: maxProcesses, ...waiting })
    this.light = new ProcessSlots({ max: maxLightProcesses, ...waiting })
  }

  /**
   * The path of a bare repository with all that the store had acknowledged before.
   * @throws BlobwireError as `GitExports.bring`
   */
  async directoryOf(repository: string, signal: AbortSignal): Promise<string> {
    if (this.#store.gitDirectory) return await this.#store.gitDirectory(repository)
    this.#exports ??= this.#openExports()
    const { path } = await (await this.#exports).bring(repository, { signal })
    return path
  }

  /** Removes the temporary directory. */
  async close(): Promise<void> {
    if (this.#temporary !== undefined) await rm(this.#temporary, { recursive: true, force: true })
  }

  async #openExports(): Promise<GitExports> {
    if (this.#cache === undefined) this.#temporary = await mkdtemp(join(tmpdir(), 'blobwire-git-'))
    return new GitExports(this.#store, this.#cache ?? (this.#temporary as string), { gitProgram: this.program })
  }
}
