/** Writes packs into a repository. */
import type { ObjectFormat } from '../../../src/git/oid.ts'
import type { NewObject } from '../store.ts'
import { GitCommand, type RepositoryContext } from './git-process.ts'
import { IncomingDirectory } from './incoming-directory.ts'
import type { PackDirectory } from './pack-directory.ts'
import { type EncodedPack, encodePack } from './pack-encoder.ts'

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
  readonly #packs: PackDirectory
  readonly #incoming: IncomingDirectory
  /** A process that was started ahead and waits for its pack. */
  #spare: GitCommand | undefined
  #spareTimer: NodeJS.Timeout | undefined

  constructor(context: RepositoryContext, format: ObjectFormat, packs: PackDirectory) {
    this.#context = context
    this.#format = format
    this.#packs = packs
    this.#incoming = new IncomingDirectory(context.gitDir)
  }

  /**
   * Writes the objects as one pack. It is durable, and every git process sees it, when this resolves.
   *
   * Returns its name, and whether its contents are not compressed.
   *
   * @param expectMore another pack will follow at once: its git process is started while this one works, since starting
   *   one takes about as long as indexing a hundred small blobs
   * @throws `unavailable` or `internal`; the pack then counts as not written
   */
  async install(objects: readonly NewObject[], expectMore = false): Promise<{ name: string; isStored: boolean }> {
    const pack = await encodePack(objects, this.#format)
    try {
      return await this.#install(pack, expectMore)
    } catch (error) {
      if (!(await this.#incoming.isGone())) throw error
      // Somebody has cleaned up the repository.
      await this.#dropSpare()
      return await this.#install(pack, expectMore)
    }
  }

  async #install(pack: EncodedPack, expectMore: boolean): Promise<{ name: string; isStored: boolean }> {
    await this.#incoming.make()
    const indexed = this.#index(pack.pieces)
    if (expectMore) this.#startSpare()
    const name = await this.#packs.moveIn(this.#incoming, pack.hash, indexed)
    return { name, isStored: pack.isStored }
  }

  #newCommand(): GitCommand {
    const context = { ...this.#context, objectDirectory: this.#incoming.path }
    return new GitCommand(context, ['index-pack', '--stdin', '--threads=1'])
  }

  /** A failed spare may have been dead before it got the pack, so its failure says nothing about the pack. */
  async #index(pack: readonly Uint8Array[]): Promise<Buffer> {
    const spare = this.#spare
    this.#spare = undefined
    clearTimeout(this.#spareTimer)
    if (spare === undefined || spare.ended) return this.#newCommand().finish(...pack)
    return spare.finish(...pack).catch(() => this.#newCommand().finish(...pack))
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
    await this.#incoming.remove()
  }
}
