/** Opens the repositories of a store: recovers them after a crash, once, and tells them how they are kept. */
import { BoundedCache } from '../bounded-cache.ts'
import { repositoryNotFound } from '../name-page.ts'
import type { RepositoryInfo } from '../store.ts'
import type { StoreSteps } from '../vitals.ts'
import { recoverRepository } from './crash-recovery.ts'
import { GitRepository } from './git-repository.ts'
import type { ResolvedStoreOptions } from './git-store-options.ts'
import { nameListBounds } from './ref-store.ts'
import type { RepositoryDirectories } from './repository-directories.ts'
import { servable } from './repository-form.ts'
import type { RequestJournal } from './request-journal.ts'

/** The parts of a store that repositories are opened with. */
export interface OpenerDependencies {
  readonly directories: RepositoryDirectories
  readonly journal: RequestJournal
  readonly options: ResolvedStoreOptions
  readonly steps: StoreSteps
}

export class RepositoryOpener {
  readonly #dependencies: OpenerDependencies
  /** Repositories that were recovered after a crash, or created since. */
  readonly #recovered = new Set<string>()
  readonly #refNames = new BoundedCache<readonly string[]>(nameListBounds)

  constructor(dependencies: OpenerDependencies) {
    this.#dependencies = dependencies
  }

  /** The repository without opening it; undefined = no such repository. */
  async find(repository: string): Promise<RepositoryInfo | undefined> {
    const { directories } = this.#dependencies
    const found = await directories.find(repository)
    return found && { ...servable(found), incarnation: await directories.instanceOf(repository) }
  }

  /** @throws `not_found`, reason `repository` */
  async open(repository: string): Promise<GitRepository> {
    const { directories, journal, options, steps } = this.#dependencies
    const found = await directories.find(repository)
    if (!found) throw repositoryNotFound(repository)
    const served = servable(found)
    const { program } = options
    const gitDir = directories.pathOf(repository)
    if (!this.#recovered.has(repository)) await recoverRepository(gitDir)
    this.#recovered.add(repository)
    const instance = await directories.instanceOf(repository)
    if (instance === undefined) throw repositoryNotFound(repository)
    const journaled = { journal, repository, instance, steps }
    const onHousekeepingFailure = (error: unknown) => options.onHousekeepingFailure(repository, error)
    const own = { ...options, journaled, refNames: this.#refNames, onHousekeepingFailure }
    const { fileNames } = directories
    const opened = new GitRepository({ program, gitDir, fileNames }, { ...served, incarnation: instance }, own)
    await opened.start()
    return opened
  }

  /** The repository was created: nothing was left in it by a crash. */
  created(repository: string): void {
    this.#recovered.add(repository)
  }

  deleted(repository: string): void {
    this.#recovered.delete(repository)
  }
}
