/** Keeps a bounded number of repositories open. */
import { RepositoryReplaced } from '../store.ts'
import type { GitRepository } from './git-repository.ts'

interface OpenRepository {
  readonly opening: Promise<GitRepository>
  /** Undefined while the repository is being opened. */
  repository: GitRepository | undefined
  /** Pending calls; while there are any, the repository is not closed to make room. */
  users: number
}

/** The open repositories of a store; beyond the bound, the least recently used is closed first. */
export class OpenRepositories {
  readonly #maxOpen: number
  readonly #openRepository: (name: string) => Promise<GitRepository>
  /** The least recently used first. */
  readonly #entries = new Map<string, OpenRepository>()
  /** Repositories that nobody may open for now; resolves when they may. */
  readonly #excluded = new Map<string, Promise<void>>()
  /** Repositories that are being closed to make room. */
  readonly #closing = new Set<Promise<void>>()

  /** @param openRepository opens a repository, or throws `not_found` */
  constructor(maxOpen: number, openRepository: (name: string) => Promise<GitRepository>) {
    this.#maxOpen = maxOpen
    this.#openRepository = openRepository
  }

  /**
   * Calls `work` with the repository, which it opens where needed and keeps open until `work` has settled.
   *
   * @param incarnation the repository that is meant; undefined = any
   * @throws RepositoryReplaced
   */
  async use<T>(name: string, work: (repository: GitRepository) => Promise<T>, incarnation?: string): Promise<T> {
    while (this.#excluded.has(name)) await this.#excluded.get(name)
    const entry = this.#entry(name)
    entry.users++
    try {
      const repository = entry.repository ?? (await entry.opening)
      if (incarnation !== undefined && repository.info.incarnation !== incarnation) throw new RepositoryReplaced(name)
      return await work(repository)
    } finally {
      entry.users--
      this.#makeRoom()
    }
  }

  /** The repository, if it is open now. */
  peek(name: string): GitRepository | undefined {
    return this.#entries.get(name)?.repository
  }

  /** Closes the repository, then runs `work` while nobody can open it. */
  async exclude(name: string, work: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#excluded.set(name, promise)
    try {
      const entry = this.#entries.get(name)
      this.#entries.delete(name)
      const repository = await entry?.opening.catch(() => undefined)
      await repository?.close()
      await work()
    } finally {
      this.#excluded.delete(name)
      resolve()
    }
  }

  /** Closes all of them. */
  async close(): Promise<void> {
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    const repositories = await Promise.all(entries.map(({ opening }) => opening.catch(() => undefined)))
    await Promise.all([...repositories.map((repository) => repository?.close()), ...this.#closing])
  }

  #entry(name: string): OpenRepository {
    const found = this.#entries.get(name)
    if (found) {
      this.#entries.delete(name)
      this.#entries.set(name, found)
      return found
    }
    const entry: OpenRepository = { opening: this.#openRepository(name), repository: undefined, users: 0 }
    this.#entries.set(name, entry)
    entry.opening.then(
      (repository) => {
        entry.repository = repository
      },
      () => {
        if (this.#entries.get(name) === entry) this.#entries.delete(name)
      }
    )
    return entry
  }

  #makeRoom(): void {
    if (this.#entries.size <= this.#maxOpen) return
    for (const [name, { repository, users }] of this.#entries) {
      if (this.#entries.size <= this.#maxOpen) return
      if (users > 0 || !repository) continue
      this.#entries.delete(name)
      const closed = repository.close().finally(() => this.#closing.delete(closed))
      this.#closing.add(closed)
    }
  }
}
