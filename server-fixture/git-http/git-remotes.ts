/** The repositories of a store as Git reads them: in their own directories, or as exports in a cache. */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { GitExports } from '../git-export/git-exports.ts'
import { repositoryNotFound } from '../store/name-page.ts'
import type { Store } from '../store/store.ts'
import { ProcessSlots } from './process-slots.ts'
import { PushDirectory } from './push-directory.ts'
import { openPushIntake, type PushIntake } from './push-intake.ts'

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
  /**
   * Bytes of the pack of one push.
   * @default 5_368_709_120
   */
  readonly maxPushBytes?: number | undefined
}

interface OpenPushOptions {
  readonly signal: AbortSignal
  /** Of a blob. */
  readonly maxBlobBytes: number
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
  /** Of processes that take in packs, as slowly as their clients send them. */
  readonly pushes: ProcessSlots
  readonly maxPushBytes: number
  readonly #store: Store
  readonly #cache: string | undefined
  #directory: Promise<string> | undefined
  #exports: Promise<GitExports> | undefined
  #pushDirectory: Promise<PushDirectory> | undefined
  #temporary: string | undefined

  constructor(
    store: Store,
    { cache, maxProcesses = 2 * availableParallelism(), maxPushBytes = 5 * 2 ** 30 }: GitRemotesOptions = {}
  ) {
    this.#store = store
    this.#cache = cache
    this.maxPushBytes = maxPushBytes
    this.packs = new ProcessSlots({ max: maxProcesses, ...waiting })
    this.pushes = new ProcessSlots({ max: maxProcesses, ...waiting })
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

  /**
   * Makes the directory in which the objects of a push arrive.
   * @throws BlobwireError as `directoryOf`
   */
  async openPush(repository: string, { signal, maxBlobBytes }: OpenPushOptions): Promise<PushIntake> {
    const found = await this.#store.getRepository(repository)
    if (found === undefined) throw repositoryNotFound(repository)
    const { incarnation, objectFormat: format } = found
    const served = await this.directoryOf(repository, signal)
    const directory = this.#store.openPackIntake ? '' : await this.#openPushDirectory()
    const { program } = this
    return openPushIntake({
      store: this.#store,
      repository,
      incarnation,
      format,
      served,
      directory,
      program,
      maxBlobBytes
    })
  }

  /** Removes the temporary directory. */
  async close(): Promise<void> {
    await (await this.#pushDirectory)?.close()
    if (this.#temporary !== undefined) await rm(this.#temporary, { recursive: true, force: true })
  }

  async #openExports(): Promise<GitExports> {
    return new GitExports(this.#store, await this.#openCache(), { gitProgram: this.program })
  }

  async #openPushDirectory(): Promise<string> {
    this.#pushDirectory ??= this.#openCache().then((cache) => PushDirectory.open(cache))
    try {
      return (await this.#pushDirectory).path
    } catch (error) {
      this.#pushDirectory = undefined
      throw error
    }
  }

  #openCache(): Promise<string> {
    this.#directory ??= this.#makeCache()
    return this.#directory
  }

  async #makeCache(): Promise<string> {
    if (this.#cache !== undefined) return this.#cache
    this.#temporary = await mkdtemp(join(tmpdir(), 'blobwire-git-'))
    return this.#temporary
  }
}
