/** Lists and reads the refs of one repository. */
import { BoundedCache, type CacheBounds, shareOfMemory } from '../bounded-cache.ts'
import { compareNames, pageOfNames } from '../name-page.ts'
import { linesOf } from '../ref-bytes.ts'
import type { PageRequest, StoredRef } from '../store.ts'
import { storageFailure } from './git-failure.ts'
import { type RepositoryContext, runGit } from './git-process.ts'
import { RefFiles } from './ref-files.ts'

/** Lists of names between two pages of a listing. Another process may change them meanwhile. */
export const nameListBounds: CacheBounds = { maxBytes: shareOfMemory(1 / 16, 32 * 1024 * 1024), maxAgeMs: 10_000 }
/** Memory of a name in a list. */
const nameBytes = 32
/** Refs that are read at once. */
const readsAtOnce = 100

/** The refs of one repository, for reading. */
export class RefStore {
  readonly #context: RepositoryContext
  readonly files: RefFiles
  readonly #kept: BoundedCache<readonly string[]>
  /** Counts the changes that added or removed names. */
  #changes = 0

  /** @param kept lists of names; a store has one cache for all its repositories */
  constructor(context: RepositoryContext, kept = new BoundedCache<readonly string[]>(nameListBounds)) {
    this.#context = context
    this.files = new RefFiles(context.gitDir, context.fileNames)
    this.#kept = kept
  }

  /** Names were added or removed. */
  namesChanged(): void {
    this.#changes++
    this.#kept.deleteAll(this.#keyOf(''))
  }

  /**
   * A page of refs in byte order of their names. Git lists all refs of a directory each time, so that later pages go on
   * with the names that it listed for the page before, and read only the refs of the page.
   */
  async list(page: PageRequest): Promise<StoredRef[]> {
    const directory = page.prefix.slice(0, page.prefix.lastIndexOf('/') + 1)
    const names = page.after === '' ? undefined : this.#kept.get(this.#keyOf(directory))
    return names ? this.#readPage(names, page) : this.#listAnew(directory, page)
  }

  /** `git for-each-ref` takes patterns of whole directories. */
  async #listAnew(directory: string, page: PageRequest): Promise<StoredRef[]> {
    const changes = this.#changes
    // Patterns may hold wildcards; a prefix with one is matched here alone.
    const patterns = directory === '' || /[*?[\\]/.test(directory) ? [] : [directory]
    const output = await runGit(this.#context, ['for-each-ref', '--format=%(objectname) %(refname)', ...patterns])
    const oids = new Map<string, string>()
    let bytes = 0
    for (const line of linesOf(output)) {
      const space = line.indexOf(' ')
      const name = line.slice(space + 1)
      if (space < 0) continue
      oids.set(name, line.slice(0, space))
      bytes += nameBytes + name.length
    }
    const names = [...oids.keys()].sort(compareNames)
    const found = pageOfNames(names, page)
    const isLast = found.length < page.limit
    if (!isLast && changes === this.#changes) this.#kept.set(this.#keyOf(directory), names, bytes)
    return found.map((name) => ({ name, oid: oids.get(name) as string }))
  }

  /** Refs that were deleted meanwhile are left out. */
  async #readPage(names: readonly string[], page: PageRequest): Promise<StoredRef[]> {
    const refs: StoredRef[] = []
    for (let { after } = page; refs.length < page.limit; ) {
      const wanted = pageOfNames(names, { ...page, after, limit: Math.min(readsAtOnce, page.limit - refs.length) })
      const oids = await this.read(wanted)
      for (const [index, name] of wanted.entries()) {
        const oid = oids[index]
        if (oid !== undefined) refs.push({ name, oid })
      }
      after = wanted.at(-1) ?? ''
      if (after === '') break
    }
    return refs
  }

  #keyOf(directory: string): string {
    return `${this.#context.gitDir}\n${directory}`
  }

  /** All names, as they are spelled. */
  async names(): Promise<string[]> {
    return linesOf(await runGit(this.#context, ['for-each-ref', '--format=%(refname)'])).filter((name) => name !== '')
  }

  /** The oid of each ref, in order; undefined = no such ref. */
  async read(names: readonly string[]): Promise<(string | undefined)[]> {
    try {
      return await Promise.all(names.map((name) => this.files.read(name)))
    } catch (error) {
      throw storageFailure('reading refs', error)
    }
  }
}
