/** The directory of one export: a bare repository that belongs to one repository of a store, under a lock. */
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BlobwireError } from '../../src/core/error.ts'
import type { ObjectFormat } from '../../src/git/oid.ts'
import { fsyncDirectory, fsyncTree, isMissing } from '../store/git/fsync.ts'
import { storageFailure } from '../store/git/git-failure.ts'
import { runGit } from '../store/git/git-process.ts'
import { LockFile } from '../store/git/lock-file.ts'
import { initialBranch } from '../store/ref-rules.ts'

/** Tells a directory that the export may change and delete from repositories of others. */
const markName = 'blobwire-export'
/** Other processes, on this machine, are asked for the lock so often. */
const lockPollMs = 20

/** `http.receivepack` and hooks have no place in a copy; packs are joined by the export itself. */
const configuration = `[gc]
\tauto = 0
[maintenance]
\tauto = false
[receive]
\tautogc = false
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
`

/** The export of a repository. `signal` ends the waiting for others, who write into it. */
interface ExportPlace {
  readonly path: string
  readonly repository: string
  readonly signal?: AbortSignal | undefined
}

/** Works with the directory while no other process does. Made, if it is missing. */
export async function withExportDirectory<T>(place: ExportPlace, work: () => Promise<T>): Promise<T> {
  const lock = await acquire(place)
  try {
    await checkMark(place.path, place.repository)
    return await work()
  } finally {
    await lock.release()
  }
}

async function acquire({ path, signal }: ExportPlace): Promise<LockFile> {
  for (;;) {
    try {
      await mkdir(path, { recursive: true })
      return await LockFile.acquire(path)
    } catch (error) {
      // Somebody has it, or has just deleted the export.
      const isBusy = error instanceof BlobwireError && error.reason === 'directory_in_use'
      if (!isBusy && !isMissing(error)) throw storageFailure(`opening the export ${path}`, error)
    }
    await sleep(lockPollMs, undefined, signal ? { signal } : undefined)
  }
}

async function checkMark(path: string, repository: string): Promise<void> {
  const mark = await readMark(path)
  if (mark === repository) return
  if (mark !== undefined) throw notOurs(path, `it is an export of repository ${mark}`)
  if ((await contentsOf(path)).length > 0) throw notOurs(path, 'it holds something else')
  await writeFile(join(path, markName), `${repository}\n`, { flush: true })
}

async function readMark(path: string): Promise<string | undefined> {
  try {
    const text = await readFile(join(path, markName), 'utf8')
    // A process was killed as it wrote the mark, before all else.
    return text.endsWith('\n') ? text.slice(0, -1) : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw storageFailure('opening an export', error)
  }
}

/** All but the lock and the mark. */
const contentsOf = async (path: string) =>
  (await readdir(path)).filter((name) => !name.endsWith('.lock') && name !== markName)

function notOurs(path: string, why: string): BlobwireError {
  const message = `cannot export into ${path}: ${why}; give a directory that is empty or missing`
  return new BlobwireError({ reason: 'data_format', message })
}

/** An empty bare repository in place of all that is there. A process that dies in between leaves no refs: see `bring`. */
export async function makeEmpty(path: string, format: ObjectFormat, program: string): Promise<void> {
  try {
    await empty(path)
    const branch = initialBranch.slice('refs/heads/'.length)
    const form = ['--bare', '--template=', `--object-format=${format}`, `--initial-branch=${branch}`]
    await runGit({ program }, ['init', '--quiet', ...form, path])
    await appendFile(join(path, 'config'), configuration)
    await fsyncTree(path)
  } catch (error) {
    throw storageFailure('making an export', error)
  }
}

/** The refs go first, so that what is left of it is never taken for an export. */
async function empty(path: string): Promise<void> {
  await rm(join(path, 'packed-refs'), { force: true })
  await fsyncDirectory(path)
  for (const name of await contentsOf(path)) await rm(join(path, name), { recursive: true, force: true })
}

/** Removes an export whose repository is gone. The caller has its lock. */
export async function removeExport(path: string): Promise<void> {
  try {
    await empty(path)
    await rm(join(path, markName), { force: true })
  } catch (error) {
    throw storageFailure('removing an export', error)
  }
}

/** Whether there is an export of the repository, in any state. */
export async function isExport(path: string, repository: string): Promise<boolean> {
  return (await readMark(path)) === repository
}
