/** The repositories of a store as Git reads them: in their own directories, or as exports in a cache. */
import { availableParallelism } from 'node:os'
import { hasTips } from '../git-export/exported-refs.ts'
import { GitExports } from '../git-export/git-exports.ts'
import type { GitFigures } from '../metrics/snapshot.ts'
import { storageFailure } from '../store/git/git-failure.ts'
import { runGit } from '../store/git/git-process.ts'
import { repositoryNotFound } from '../store/name-page.ts'
import type { Store } from '../store/store.ts'
import { ProcessSlots } from './process-slots.ts'
import { PushDirectory } from './push-directory.ts'
import { openPushIntake, type PushIntake } from './push-intake.ts'
import { SharedAnswers } from './shared-answers.ts'
import { TemporaryCache } from './temporary-cache.ts'

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
  /**
   * Time for one process.
   * @default 3_600_000
   */
  readonly timeoutMs?: number | undefined
}

interface OpenPushOptions {
  readonly signal: AbortSignal
  /** Of a blob. */
  readonly maxBlobBytes: number
}

/** Requests wait for a process in this number and for this time. */
const waiting = { maxWaiting: 200, maxWaitMs: 300_000 }
/**
 * Packs are begun one after the other, as far as they are short: their clients, which may be on the same machine or behind
 * the same line, then do not all work at once. A long one, or one with a slow client, holds up the next no longer than this.
 */
const maxHoldMs = 3_000
/** Processes that tell refs: each takes some milliseconds, and none waits behind a clone. */
const maxLightProcesses = 2

export class GitRemotes {
  readonly program = 'git'
  readonly timeoutMs: number
  /** Of processes that make packs. */
  readonly packs: ProcessSlots
  /** Of packs that are begun: one for two cores. */
  readonly turns: ProcessSlots
  /** Of exports that are brought up to date. */
  readonly exports: ProcessSlots
  /** Of processes that tell refs. */
  readonly light: ProcessSlots
  /** Of those whose answers are short. */
  readonly shared: SharedAnswers
  /** Of processes that take in packs, as slowly as their clients send them. */
  readonly pushes: ProcessSlots
  readonly maxPushBytes: number
  readonly #store: Store
  readonly #cache: string | undefined
  #directory: Promise<string> | undefined
  #exports: GitExports | undefined
  #pushDirectory: Promise<PushDirectory> | undefined
  #temporary: TemporaryCache | undefined

  constructor(
    store: Store,
    {
      cache,
      maxProcesses = 2 * availableParallelism(),
      maxPushBytes = 5 * 2 ** 30,
      timeoutMs = 3_600_000
    }: GitRemotesOptions = {}
  ) {
    this.#store = store
    this.#cache = cache
    this.maxPushBytes = maxPushBytes
    this.timeoutMs = timeoutMs
    this.packs = new ProcessSlots({ max: maxProcesses, ...waiting })
    this.turns = new ProcessSlots({ max: Math.ceil(availableParallelism() / 2), ...waiting, maxHoldMs })
    this.exports = new ProcessSlots({ max: maxProcesses, ...waiting })
    this.pushes = new ProcessSlots({ max: maxProcesses, ...waiting })
    this.light = new ProcessSlots({ max: maxLightProcesses, ...waiting })
    this.shared = new SharedAnswers(this.light)
  }

  figures(): GitFigures {
    const all = [this.packs, this.exports, this.pushes, this.light]
    const sum = (of: (slots: ProcessSlots) => number) => all.reduce((total, slots) => total + of(slots), 0)
    return { processes: sum(({ running }) => running), waiting: sum((slots) => slots.waiting) }
  }

  /**
   * The path of a bare repository with all that the store had acknowledged before.
   * @throws BlobwireError as `GitExports.bring`
   */
  async directoryOf(repository: string, signal: AbortSignal): Promise<string> {
    if (this.#store.gitDirectory) return await this.#store.gitDirectory(repository)
    return (await (await this.#openExports()).bring(repository, { signal })).path
  }

  /**
   * The path of a bare repository that has at least these objects, with all that they name.
   * @throws BlobwireError as `GitExports.bring`
   */
  async directoryWith(repository: string, oids: readonly string[], signal: AbortSignal): Promise<string> {
    if (this.#store.gitDirectory) return await this.#store.gitDirectory(repository)
    const gitDir = await (await this.#openExports()).find(repository)
    if (gitDir === undefined) return await this.directoryOf(repository, signal)
    if (oids.length === 0 || (await hasTips(gitDir, oids))) return gitDir
    const context = { program: this.program, gitDir }
    // Where the export goes meanwhile, git says so, and it is made anew.
    const found = await runGit(context, ['cat-file', '--batch-check'], Buffer.from(`${oids.join('\n')}\n`)).catch(
      () => ''
    )
    const isWhole = found.length > 0 && !/ missing$/m.test(found.toString())
    return isWhole ? gitDir : await this.directoryOf(repository, signal)
  }

  /** The repository is gone: removes its export, if there is one. */
  async forget(repository: string, signal: AbortSignal): Promise<void> {
    if (!this.#store.gitDirectory) await this.directoryOf(repository, signal).catch(() => undefined)
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
    await this.#exports?.close()
    await (await this.#pushDirectory)?.close()
    await this.#directory?.catch(() => undefined)
    await this.#temporary?.remove()
  }

  async #openExports(): Promise<GitExports> {
    const directory = await this.#openCache()
    const acquire = async (signal: AbortSignal | undefined) => (await this.exports.acquire(signal)).release
    this.#exports ??= new GitExports(this.#store, directory, { gitProgram: this.program, acquire })
    return this.#exports
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

  async #openCache(): Promise<string> {
    if (this.#cache !== undefined) return this.#cache
    this.#directory ??= this.#makeTemporary()
    try {
      return await this.#directory
    } catch (error) {
      this.#directory = undefined
      throw storageFailure('making a directory of exports', error)
    }
  }

  async #makeTemporary(): Promise<string> {
    this.#temporary = await TemporaryCache.make()
    return this.#temporary.path
  }
}
