/** The packs of one repository: new ones are moved in, and packs that others have deleted are noticed. */
import { randomBytes } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { access, link, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fsyncDirectory, isMissing } from './fsync.ts'
import { storageFailure } from './git-failure.ts'
import type { IncomingDirectory } from './incoming-directory.ts'

/** A directory that was changed less than this ago may be changed again without a later date. */
const dateStepMs = 50

interface PackDirectoryOptions {
  /**
   * Whether new packs have `.keep` files.
   *
   * @default true
   */
  readonly keepsNew?: boolean
  /**
   * Called when packs have gone that the server did not remove; see `look`.
   *
   * @default does nothing
   */
  readonly onLoss?: () => void
}

export class PackDirectory {
  readonly path: string
  readonly #keepsNew: boolean
  readonly #onLoss: () => void
  /** Packs that are there by what this server has seen or done, without `.pack` and `.idx`. */
  readonly #known = new Set<string>()
  /** The date of the directory when it was read last; 0 = it has to be read again. */
  #readAtMs = 0
  #losses = 0
  #removals = 0

  constructor(gitDir: string, { keepsNew = true, onLoss = () => undefined }: PackDirectoryOptions = {}) {
    this.path = join(gitDir, 'objects', 'pack')
    this.#keepsNew = keepsNew
    this.#onLoss = onLoss
  }

  /** Counts how often packs were found to be gone. */
  get losses(): number {
    return this.#losses
  }

  /** Counts the beginnings and ends of removals, as a sequence lock does: odd while packs are being removed. */
  get removals(): number {
    return this.#removals
  }

  /**
   * Looks whether another process has deleted packs since the last look, as `git gc` does. Long-lived git processes have
   * deleted packs open and still find objects in them, some of which may be nowhere else.
   *
   * Synchronous: the directory is short and in the cache of the system, and a turn of the thread pool costs more, above
   * all behind syncs of packs.
   */
  look(): void {
    try {
      const changedAtMs = statSync(this.path).mtimeMs
      if (changedAtMs === this.#readAtMs) return
      this.#compare()
      this.#readAtMs = Date.now() - changedAtMs > dateStepMs ? changedAtMs : 0
    } catch (error) {
      throw storageFailure('reading the directory of packs', error)
    }
  }

  #compare(): void {
    const found = new Set(indexesIn(readdirSync(this.path)))
    const lost = [...this.#known].filter((name) => !found.has(name))
    // While packs are removed, those that are not removed yet are known no more.
    if (this.#removals % 2 === 0) for (const name of found) this.#known.add(name)
    if (lost.length === 0) return
    for (const name of lost) this.#known.delete(name)
    this.#losses++
    this.#onLoss()
  }

  /**
   * Moves a pack and its index in, durably; every git process sees it when this resolves. It is there with a `.keep` file
   * from its first moment: `git gc` then leaves it alone, whether refs reach its objects or not. (A `.keep` file that
   * comes later makes `git repack -d` delete a pack whose objects it has copied nowhere, where it comes in its middle.) Returns its name, without `.pack`.
   *
   * @param hash of the pack, which is its name in the incoming directory
   * @param written resolves when both files are written and synced
   */
  async moveIn(
    incoming: IncomingDirectory,
    hash: string,
    written: Promise<unknown> = Promise.resolve()
  ): Promise<string> {
    const [naming, writing] = await Promise.allSettled([this.#reserve(incoming, hash), written])
    if (writing.status === 'rejected') {
      if (naming.status === 'fulfilled') await this.#unlink(`${naming.value}.keep`)
      throw writing.reason
    }
    try {
      if (naming.status === 'rejected') throw naming.reason
      const name = naming.value
      // The index comes last, since Git looks for indexes.
      for (const extension of ['pack', 'idx']) {
        const from = join(incoming.path, 'pack', `pack-${hash}.${extension}`)
        await rename(from, join(this.path, `${name}.${extension}`))
      }
      // A rename outlives a crash of the machine only with its directory (fsync(2)), which Git leaves out.
      await fsyncDirectory(this.path)
      this.#known.add(name)
      return name
    } catch (error) {
      throw storageFailure('storing a pack', error)
    }
  }

  /** Removes packs whose objects are in another one, with all that belongs to them. */
  async remove(names: readonly string[]): Promise<void> {
    this.#removals++
    try {
      for (const name of names) this.#known.delete(name)
      const files = await readdir(this.path)
      // A multi-pack-index, which others may have written, must not name packs that are gone (git-multi-pack-index(1)).
      for (const file of files) if (file.startsWith('multi-pack-index')) await this.#unlink(file)
      for (const name of names) {
        const own = files.filter((file) => file.startsWith(`${name}.`) && !/\.(idx|keep)$/.test(file))
        // As Git does: the index first, so that nobody looks for the pack; and the pack is never there unkept.
        for (const file of [`${name}.idx`, ...own, `${name}.keep`]) await this.#unlink(file)
      }
    } finally {
      // A removal that failed has ended, too: packs would count as being removed for good.
      this.#removals++
    }
  }

  #unlink(file: string): Promise<void> {
    return rm(join(this.path, file), { force: true })
  }

  /** The name for a new pack, which has its `.keep` file. A pack that is there already, of the same bytes, stays as it is. */
  async #reserve(incoming: IncomingDirectory, hash: string): Promise<string> {
    const name = `pack-${hash}`
    if (await isThere(join(this.path, `${name}.pack`)))
      return await this.#reserve(incoming, randomBytes(hash.length / 2).toString('hex'))
    if (!this.#keepsNew) return name
    try {
      await link(incoming.keepFile, join(this.path, `${name}.keep`))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    return name
  }
}

const indexesIn = (files: readonly string[]) =>
  files.filter((file) => file.endsWith('.idx')).map((file) => file.slice(0, -4))

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
