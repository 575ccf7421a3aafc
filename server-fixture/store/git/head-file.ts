/** HEAD of a bare repository, and the note that somebody chose its branch. */
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BlobwireError } from '../../../src/core/error.ts'
import { bytesOfName } from '../ref-bytes.ts'
import { fsyncDirectory, isMissing } from './fsync.ts'
import { storageFailure } from './git-failure.ts'

/**
 * File of a repository with the full name of the branch that somebody chose through the service. The choice holds as long
 * as HEAD names the same branch: another git process may have changed HEAD since.
 */
export const chosenBranchFile = 'blobwire-default-branch'

/** Git itself tries for a tenth of a second (git-config(1), "core.filesRefLockTimeout"). */
const lockTries = 10
const retryMs = 20

/** The branch that somebody chose; undefined = nobody did. */
export async function chosenBranch(gitDir: string): Promise<string | undefined> {
  try {
    return (await readFile(join(gitDir, chosenBranchFile), 'utf8')).trim()
  } catch (error) {
    if (isMissing(error)) return undefined
    throw storageFailure('reading the default branch', error)
  }
}

/** Has HEAD name a branch, and notes that somebody chose it. @throws `unavailable`, reason `ref_locked` or `storage` */
export async function chooseBranch(gitDir: string, branch: string): Promise<void> {
  await writeHead(gitDir, branch, async () => {
    const note = join(gitDir, chosenBranchFile)
    await writeFile(`${note}.new`, `${branch}\n`, { flush: true })
    await rename(`${note}.new`, note)
    // The note comes first: it tells the next start that the change had begun.
    await fsyncDirectory(gitDir)
  })
}

/**
 * Has HEAD name a branch, as `git symbolic-ref HEAD` does: by a lock file that becomes HEAD. Git syncs neither the file nor
 * its directory, so that a crash of the machine could leave an empty HEAD, which is no repository; here both are synced.
 *
 * @param branch full name
 * @param locked called while HEAD is locked
 * @throws `unavailable`, reason `ref_locked` or `storage`
 */
export async function writeHead(gitDir: string, branch: string, locked?: () => Promise<void>): Promise<void> {
  const lock = join(gitDir, 'HEAD.lock')
  await writeLock(lock, bytesOfName(`ref: ${branch}\n`))
  try {
    await locked?.()
    await rename(lock, join(gitDir, 'HEAD'))
    await fsyncDirectory(gitDir)
  } catch (error) {
    await rm(lock, { force: true })
    throw storageFailure('writing HEAD', error)
  }
}

async function writeLock(path: string, content: Uint8Array): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const file = await open(path, 'wx')
      try {
        await file.writeFile(content)
        await file.sync()
      } finally {
        await file.close()
      }
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw storageFailure('writing HEAD', error)
      const message = 'another process on the server holds the lock of HEAD'
      if (tries >= lockTries) throw new BlobwireError({ reason: 'ref_locked', message, cause: error })
    }
    await sleep(retryMs)
  }
}
