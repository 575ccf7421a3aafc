import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectFormat } from '../../../src/git/oid.ts'
import type { NewObject } from '../store.ts'
import { syncDirectory } from './durable-files.ts'
import { storageFailure } from './git-failure.ts'
import { type GitPlace, runGit } from './git-process.ts'
import { encodePack } from './pack-encoder.ts'

/** How our folders for unfinished packs begin; `tmp_objdir-` is Git's own prefix for such folders, known to `git prune`. */
export const incomingPrefix = 'tmp_objdir-blobwire-'

/**
 * Turns objects into durable packs of one repository.
 *
 * `git index-pack` runs in an object folder of its own, as `git receive-pack` does with its quarantine, but without the
 * repository's objects as alternates: looking every new object up in every existing pack made a run 2-4 times as slow
 * with a few hundred packs. What that gives up is Git's comparison of an object that exists already with the new one of
 * the same oid; Git reads the older one then, and index-pack itself refuses known SHA-1 collision attacks.
 */
export class PackInstaller {
  readonly #place: GitPlace & { readonly gitDir: string }
  readonly #format: ObjectFormat
  readonly #incoming: string
  #prepared: Promise<unknown> | undefined

  constructor(place: GitPlace & { readonly gitDir: string }, format: ObjectFormat) {
    this.#place = place
    this.#format = format
    this.#incoming = join(place.gitDir, 'objects', incomingPrefix + randomBytes(6).toString('hex'))
  }

  /**
   * Writes the objects as one pack. It is durable, and every git process sees it, when this resolves.
   *
   * @throws `unavailable` or `internal`; the pack then counts as not written
   */
  async install(objects: readonly NewObject[]): Promise<void> {
    const pack = await encodePack(objects, this.#format)
    this.#prepared ??= mkdir(join(this.#incoming, 'pack'), { recursive: true })
    try {
      await this.#prepared
    } catch (error) {
      this.#prepared = undefined
      throw storageFailure('making a folder for a pack', error)
    }
    const place = { ...this.#place, objectDirectory: this.#incoming }
    const output = await runGit(place, ['index-pack', '--stdin', '--threads=1'], pack)
    await this.#moveIn(output.toString('latin1').trim().split('\t')[1] ?? '')
  }

  /**
   * index-pack has synced both files. The index comes last, since Git looks for indexes; then the folder is synced,
   * because a rename outlives a crash of the machine only with its folder (fsync(2)), and Git leaves that out.
   */
  async #moveIn(hash: string): Promise<void> {
    const target = join(this.#place.gitDir, 'objects', 'pack')
    try {
      for (const name of [`pack-${hash}.pack`, `pack-${hash}.idx`]) {
        await rename(join(this.#incoming, 'pack', name), join(target, name))
      }
      await syncDirectory(target)
    } catch (error) {
      throw storageFailure('storing a pack', error)
    }
  }

  /** Removes the folder for unfinished packs. */
  async close(): Promise<void> {
    await rm(this.#incoming, { recursive: true, force: true })
  }
}
