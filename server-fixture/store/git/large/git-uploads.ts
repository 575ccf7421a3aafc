/** The uploads of a Git store. */
import { repositoryNameProblem } from '../../../../src/git/repository-name.ts'
import { Uploads } from '../../uploads/uploads.ts'
import type { GitRepository } from '../git-repository.ts'
import { GitSpools } from './git-spools.ts'

interface StoreRepositories {
  /** The id of a repository; undefined = there is none. */
  instanceOf(repository: string): Promise<string | undefined>
  use<T>(repository: string, work: (found: GitRepository) => Promise<T>): Promise<T>
}

export class GitUploads extends Uploads {
  readonly #spools: GitSpools

  /** @param directory see `GitSpools.prepare` */
  constructor(directory: string, { instanceOf, use }: StoreRepositories) {
    const spools = new GitSpools(directory, {
      instanceOf: async (name) => (repositoryNameProblem(name) ? undefined : await instanceOf(name)),
      formatOf: (name) => use(name, async ({ info }) => info.objectFormat),
      has: (name, oid) => use(name, (found) => found.holds(oid)),
      install: (name, pack) => use(name, (found) => found.installPack(pack))
    })
    super(spools)
    this.#spools = spools
  }

  override async forget(repository: string): Promise<void> {
    await super.forget(repository)
    await this.#spools.removeAll(repository)
  }

  override async close(): Promise<void> {
    await super.close()
    await this.#spools.close()
  }
}
