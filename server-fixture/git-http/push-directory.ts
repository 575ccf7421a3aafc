/** Where a server keeps the objects of pushes, for stores whose repositories are not Git's. */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { storageFailure } from '../store/git/git-failure.ts'
import { LockFile } from '../store/git/lock-file.ts'

/** Beside the exports: no repository's name may hold `~`. */
const parentName = '~pushes'
/** Another server may take a new directory, which is not locked yet, for one that was left behind. */
const attempts = 3

/** The directory of one server. Its lock tells other servers on this machine that it is in use. */
export class PushDirectory {
  readonly path: string
  readonly #lock: LockFile

  private constructor(path: string, lock: LockFile) {
    this.path = path
    this.#lock = lock
  }

  /**
   * Makes a directory, and removes those of servers that were killed.
   * @param cache the directory of the exports
   * @throws BlobwireError `unavailable`, reason `storage`
   */
  static async open(cache: string): Promise<PushDirectory> {
    const parent = join(cache, parentName)
    for (let attempt = 1; ; attempt++) {
      const path = join(parent, randomBytes(8).toString('hex'))
      try {
        await mkdir(path, { recursive: true })
        const directory = new PushDirectory(path, await LockFile.acquire(path))
        await sweep(parent)
        return directory
      } catch (error) {
        if (attempt === attempts) throw storageFailure('making a directory for pushes', error)
      }
    }
  }

  async close(): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
    await this.#lock.release()
  }
}

async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name)
    try {
      const lock = await LockFile.acquire(path)
      await rm(path, { recursive: true, force: true })
      await lock.release()
    } catch {
      // A server works in it, or another one has removed it.
    }
  }
}
