/**
 * The parents of all commits that an export lacks, read together: along a chain, each commit is known only when the one
 * after it has been read, which takes a round trip for each where there is a network between the store and its data.
 */
import type { CatFile } from '../store/git/cat-file.ts'
import { type RepositoryContext, runGit } from '../store/git/git-process.ts'
import { type NamedObject, namedObjects } from './named-objects.ts'
import type { SourceRepository } from './object-source.ts'

/** Reads along the history before its commits are looked for, and one more for so many objects of the export. */
const firstReads = 100
const objectsOfRead = 1000
/** Of one page, without contents. */
const pageObjects = 10_000
/** Of one read. */
const batchCommits = 1000
const maxCommitBytes = 64 * 1024

export class CommitsAhead {
  readonly #source: SourceRepository
  readonly #context: RepositoryContext
  readonly #parents = new Map<string, readonly NamedObject[]>()
  /** Along the history, and how many of them pass before the commits are read; undefined = it is not known yet. */
  #reads = 0
  #enough: number | undefined
  #isRead = false

  constructor(source: SourceRepository, context: RepositoryContext) {
    this.#source = source
    this.#context = context
  }

  /** Counts a read along the history. */
  isDue(): boolean {
    return this.#source.store.scanObjects !== undefined && ++this.#reads > (this.#enough ?? firstReads) && !this.#isRead
  }

  /** None are known before they were read. */
  parentsOf(commit: string): readonly NamedObject[] {
    return this.#parents.get(commit) ?? []
  }

  /** Reads them, unless the export is so large that to list all objects takes longer. */
  async read(exported: CatFile): Promise<void> {
    const { store, repository, format } = this.#source
    this.#enough ??= firstReads + (await objectsIn(this.#context)) / objectsOfRead
    if (this.#isRead || this.#reads < this.#enough) return
    this.#isRead = true
    for (let after = ''; ; ) {
      const page = (await store.scanObjects?.(repository, { after, limit: pageObjects, maxBytes: -1 })) ?? []
      const last = page.at(-1)
      if (last === undefined) return
      after = last.oid
      const commits = page.flatMap(({ oid, kind }) => (kind === 'commit' ? [oid] : []))
      const there = commits.length > 0 ? await exported.ask({ command: 'info', oids: commits }) : []
      const missing = commits.filter((_, index) => there[index] === undefined)
      while (missing.length > 0) {
        const oids = missing.splice(-batchCommits)
        const found = await store.readObjects(repository, oids, maxCommitBytes)
        for (const [index, oid] of oids.entries()) {
          const named = namedObjects('commit', found[index]?.content ?? new Uint8Array(), format)
          const parents = named.filter(({ kind }) => kind === 'commit')
          this.#parents.set(oid, parents)
        }
      }
    }
  }
}

async function objectsIn(context: RepositoryContext): Promise<number> {
  const counts = (await runGit(context, ['count-objects', '-v'])).toString()
  return Number(/^in-pack: (\d+)$/m.exec(counts)?.[1] ?? 0)
}
