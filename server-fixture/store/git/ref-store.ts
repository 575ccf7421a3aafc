/** Lists and reads the refs of one repository. */

import type { PageRequest, StoredRef } from '../store.ts'
import { storageFailure } from './git-failure.ts'
import { type RepositoryContext, runGit } from './git-process.ts'
import { RefFiles } from './ref-files.ts'

/** The refs of one repository, for reading. */
export class RefStore {
  readonly #context: RepositoryContext
  readonly #files: RefFiles

  constructor(context: RepositoryContext) {
    this.#context = context
    this.#files = new RefFiles(context.gitDir)
  }

  /** A page of refs in byte order of their names. `git for-each-ref` takes patterns of whole directories. */
  async list(page: PageRequest): Promise<StoredRef[]> {
    const directory = page.prefix.slice(0, page.prefix.lastIndexOf('/') + 1)
    // Patterns may hold wildcards; a prefix with one is matched here alone.
    const patterns = directory === '' || /[*?[\\]/.test(directory) ? [] : [directory]
    const output = await runGit(this.#context, ['for-each-ref', '--format=%(objectname) %(refname)', ...patterns])
    const after = Buffer.from(page.after)
    const refs: StoredRef[] = []
    for (const line of output.toString('utf8').split('\n')) {
      const space = line.indexOf(' ')
      const name = line.slice(space + 1)
      if (space < 0 || !name.startsWith(page.prefix)) continue
      if (page.after !== '' && Buffer.compare(Buffer.from(name), after) <= 0) continue
      if (refs.length === page.limit) break
      refs.push({ name, oid: line.slice(0, space) })
    }
    return refs
  }

  /** The oid of each ref, in order; undefined = no such ref. */
  async read(names: readonly string[]): Promise<(string | undefined)[]> {
    try {
      return await Promise.all(names.map((name) => this.#files.read(name)))
    } catch (error) {
      throw storageFailure('reading refs', error)
    }
  }
}
