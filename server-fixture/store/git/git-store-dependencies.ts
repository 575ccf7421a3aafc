/** The parts of the Git store. */
import { join, resolve } from 'node:path'
import { StoreSteps } from '../vitals.ts'
import { formatName, journalName, openDataFormat, uploadsName } from './data-format.ts'
import { fileNamesOf } from './file-names.ts'
import type { ResolvedStoreOptions } from './git-store-options.ts'
import { checkGitVersion } from './git-version.ts'
import { GitSpools } from './large/git-spools.ts'
import { LockFile } from './lock-file.ts'
import { makeDataDirectory, RepositoryDirectories } from './repository-directories.ts'
import type { OpenerDependencies } from './repository-opener.ts'
import { RequestJournal } from './request-journal.ts'

/** The parts that a store is made of. */
export interface GitStoreDependencies extends OpenerDependencies {
  readonly lock: LockFile
  readonly uploadsPath: string
  readonly path: string
}

/** Opens the directory and the parts that work in it. @throws BlobwireError as `GitStore.open` */
export async function openParts(directory: string, options: ResolvedStoreOptions): Promise<GitStoreDependencies> {
  const { program } = options
  await checkGitVersion(program)
  const path = resolve(directory)
  await makeDataDirectory(path)
  const lock = await LockFile.acquire(path)
  try {
    await openDataFormat(path)
    const fileNames = options.fileNames ?? (await fileNamesOf(path, formatName))
    const directories = new RepositoryDirectories(path, program, fileNames)
    await directories.removeTemporary()
    const steps = new StoreSteps()
    const journal = await RequestJournal.open(join(path, journalName), { steps })
    const uploadsPath = join(path, uploadsName)
    await GitSpools.prepare(uploadsPath)
    return { lock, directories, journal, uploadsPath, path, steps, options }
  } catch (error) {
    await lock.release()
    throw error
  }
}
