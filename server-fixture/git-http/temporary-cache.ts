/** A directory of exports for one run of a server. Those of servers that were killed are removed by the next one. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LockFile, lockName } from '../store/git/lock-file.ts'

const prefix = 'blobwire-git-'

export class TemporaryCache {
  readonly path: string
  readonly #lock: LockFile

  private constructor(path: string, lock: LockFile) {
    this.path = path
    this.#lock = lock
  }

  /** @param parent directory in which it is made */
  static async make(parent: string = tmpdir()): Promise<TemporaryCache> {
    await removeLeftovers(parent)
    const path = await mkdtemp(join(parent, prefix))
    return new TemporaryCache(path, await LockFile.acquire(path))
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
    await this.#lock.release()
  }
}

async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue
    const path = join(parent, name)
    try {
      // One without a lock has just been made.
      await stat(join(path, lockName))
      const lock = await LockFile.acquire(path)
      await rm(path, { recursive: true, force: true })
      await lock.release()
    } catch {
      // Its server lives, it belongs to somebody else, or another server has removed it.
    }
  }
}
