/** Directories for packs that are being written, outside of the view of other git processes. */
import { randomBytes } from 'node:crypto'
import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from './fsync.ts'
import { storageFailure } from './git-failure.ts'

/**
 * `git prune` removes whatever begins with `tmp_` in `objects` (builtin/prune.c), in use or not: the second prefix, of
 * earlier versions, is known to crash recovery alone.
 */
const prefixes = ['blobwire-incoming-', 'tmp_objdir-blobwire-'] as const

/** The text of the `.keep` files that the server makes: it removes no others. */
export const keepMark = 'blobwire: new objects\n'

/** Whether a name in `objects` is a directory for unfinished packs of this or a killed server. */
export function isIncoming(name: string): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix))
}

/** An object directory (gitrepository-layout(5)) for one writer of packs. */
export class IncomingDirectory {
  readonly path: string
  #made: Promise<void> | undefined

  /** @param gitDir the repository into which the packs are moved, by renames: on the same file system */
  constructor(gitDir: string) {
    this.path = join(gitDir, 'objects', prefixes[0] + randomBytes(6).toString('hex'))
  }

  /** A file with the text of `.keep` files, on disk; they are links to it, so that no new one has bytes to be synced. */
  get keepFile(): string {
    return join(this.path, 'keep')
  }

  /** Creates the directory, unless it was created before. @throws `unavailable`, reason `storage` */
  async make(): Promise<void> {
    this.#made ??= this.#make()
    try {
      await this.#made
    } catch (error) {
      this.#made = undefined
      throw storageFailure('creating a directory for a pack', error)
    }
  }

  /** Whether somebody has removed the directory; `make` then creates it again. */
  async isGone(): Promise<boolean> {
    try {
      await Promise.all([access(this.keepFile), access(join(this.path, 'pack'))])
      return false
    } catch (error) {
      if (!isMissing(error)) return false
      this.#made = undefined
      return true
    }
  }

  async remove(): Promise<void> {
    this.#made = undefined
    await rm(this.path, { recursive: true, force: true })
  }

  async #make(): Promise<void> {
    await mkdir(join(this.path, 'pack'), { recursive: true })
    await writeFile(this.keepFile, keepMark, { flush: true })
  }
}
