/** Writes packs into a repository. */
import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectFormat } from '../../../src/git/oid.ts'
import type { NewObject } from '../store.ts'
import { fsyncDirectory } from './fsync.ts'
import { storageFailure } from './git-failure.ts'
import { GitCommand, type RepositoryContext } from './git-process.ts'
import { encodePack } from './pack-encoder.ts'

/** Prefix of our directories for unfinished packs; `tmp_objdir-` is Git's own, known to `git prune`. */
export const incomingPrefix = 'tmp_objdir-blobwire-'

/** A process that waits longer than this for a pack is ended. */
const spareIdleMs = 1000

/**
 * Turns objects into durable packs of one repository.
 *
 * `git index-pack` runs in an object directory of its own, as `git receive-pack` does with its quarantine, but without
 * the repository's objects as alternates: looking every new object up in every existing pack made a run 2-4 times as
 * slow with a few hundred packs. The price is that Git does not compare an existing object with a new one of the same
 * oid; Git reads the older one then, and index-pack itself refuses known SHA-1 collision attacks.
 */
export class PackInstaller {
  readonly #context: RepositoryContext
  readonly #format: ObjectFormat
  readonly #incoming: string
  #prepared: Promise<unknown> | undefined
  /** A process that was started ahead and waits for its pack. */
  #spare: GitCommand | undefined
  #spareTimer: NodeJS.Timeout | undefined

  constructor(context: RepositoryContext, format: ObjectFormat) {
    this.#context = context
    this.#format = format
    this.#incoming = join(context.gitDir, 'objects', incomingPrefix + randomBytes(6).toString('hex'))
  }

  /**
   * Writes the objects as one pack. It is durable, and every git process sees it, when this resolves.
   *
   * @param expectMore another pack will follow at once: its git process is started while this one works, since starting
   *   one takes about as long as indexing a hundred small blobs
   * @throws `unavailable` or `internal`; the pack then counts as not written
   */
  async install(objects: readonly NewObject[], expectMore = false): Promise<void> {
    const pack = await encodePack(objects, this.#format)
    this.#prepared ??= mkdir(join(this.#incoming, 'pack'), { recursive: true })
    try {
      await this.#prepared
    } catch (error) {
      this.#prepared = undefined
      throw storageFailure('creating a directory for a pack', error)
    }
    const output = this.#index(pack)
    if (expectMore) this.#startSpare()
    await this.#moveIn((await output).toString('latin1').trim().split('\t')[1] ?? '')
  }

  /**
   * index-pack has synced both files. The index comes last, since Git looks for indexes; then the directory is synced,
   * because a rename outlives a crash of the machine only with its directory (fsync(2)), and Git leaves that out.
   */
  async #moveIn(hash: string): Promise<void> {
    const target = join(this.#context.gitDir, 'objects', 'pack')
    try {
      for (const name of [`pack-${hash}.pack`, `pack-${hash}.idx`]) {
        await rename(join(this.#incoming, 'pack', name), join(target, name))
      }
      await fsyncDirectory(target)
    } catch (error) {
      throw storageFailure('storing a pack', error)
    }
  }

  #newCommand(): GitCommand {
    const context = { ...this.#context, objectDirectory: this.#incoming }
    return new GitCommand(context, ['index-pack', '--stdin', '--threads=1'])
  }

  /** A failed spare may have been dead before it got the pack, so its failure says nothing about the pack. */
  async #index(pack: Uint8Array): Promise<Buffer> {
    const spare = this.#spare
    this.#spare = undefined
    clearTimeout(this.#spareTimer)
    if (spare === undefined || spare.ended) return this.#newCommand().finish(pack)
    return spare.finish(pack).catch(() => this.#newCommand().finish(pack))
  }

  #startSpare(): void {
    this.#spare ??= this.#newCommand()
    clearTimeout(this.#spareTimer)
    this.#spareTimer = setTimeout(() => void this.#dropSpare(), spareIdleMs).unref()
  }

  async #dropSpare(): Promise<void> {
    const spare = this.#spare
    this.#spare = undefined
    clearTimeout(this.#spareTimer)
    await spare?.abandon()
  }

  /** Ends its processes and removes the directory for unfinished packs. */
  async close(): Promise<void> {
    await this.#dropSpare()
    await rm(this.#incoming, { recursive: true, force: true })
  }
}
