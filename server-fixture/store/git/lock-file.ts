/** The lock file of a data directory: one server at a time works in it. */
import { randomBytes } from 'node:crypto'
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { BlobwireError } from '../../../src/core/error.ts'
import { waitForOrphans } from './crash-recovery.ts'
import { isMissing } from './fsync.ts'
import { instanceId } from './git-process.ts'

/** Ends in `.lock`, as no repository and no directory of repositories may. */
export const lockName = 'server.lock'
/** Lock files that this process holds: after a restart under the same process id, an old one looks like our own. */
const held = new Set<string>()

/**
 * Makes sure that one server alone works in a directory. The file holds the process id and, on Linux, the time at which
 * the process started, because the id of a dead process may have been given to another one.
 */
export class LockFile {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** @throws `failed_precondition`, reason `directory_in_use`, while another store has the directory open */
  static async acquire(directory: string): Promise<LockFile> {
    const path = join(resolve(directory), lockName)
    if (held.has(path)) throw inUse(directory, process.pid)
    held.add(path)
    try {
      await take(path, directory)
    } catch (error) {
      held.delete(path)
      throw error
    }
    return new LockFile(path)
  }

  /** Removes the file. */
  async release(): Promise<void> {
    await unlink(this.#path).catch(() => {})
    held.delete(this.#path)
  }
}

async function take(path: string, directory: string): Promise<void> {
  const own = `${path}.${randomBytes(6).toString('hex')}.lock`
  const lock = { pid: process.pid, started: await startTime(process.pid), instance: instanceId }
  await writeFile(own, JSON.stringify(lock))
  try {
    // Linked, not written: the lock is there with its content, or not at all.
    let dead: string | undefined
    while (!(await linked(own, path))) dead = (await removeIfStale(path, directory)) ?? dead
    if (dead !== undefined) await waitForOrphans(dead)
  } finally {
    await unlink(own)
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Moves the file aside before it removes it, and reads it again: another server may have taken it over in between.
 * Returns the instance id of the dead server, if its file was removed.
 */
async function removeIfStale(path: string, directory: string): Promise<string | undefined> {
  const text = await readIfThere(path)
  if (text === undefined) return undefined
  const owner = await livingOwner(text)
  if (owner !== undefined) throw inUse(directory, owner)
  const aside = `${path}.${randomBytes(6).toString('hex')}.lock`
  try {
    await rename(path, aside)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  const moved = await readIfThere(aside)
  if (moved !== text) await linked(aside, path)
  await unlink(aside)
  return moved === text ? parseLock(text).instance : undefined
}

async function livingOwner(text: string): Promise<number | undefined> {
  const { pid, started } = parseLock(text)
  if (pid <= 0 || pid === process.pid) return undefined
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it lives, and belongs to someone else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined
  }
  return (await startTime(pid)) === started ? pid : undefined
}

function parseLock(text: string): { pid: number; started: string; instance: string } {
  try {
    const { pid, started, instance } = JSON.parse(text) as Record<'pid' | 'started' | 'instance', unknown>
    return { pid: Number(pid), started: String(started), instance: String(instance) }
  } catch {
    return { pid: 0, started: '', instance: '' }
  }
}

/** When a process started, in clock ticks since the machine did (proc(5), field 22 of stat); empty elsewhere. */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function inUse(directory: string, pid: number): BlobwireError {
  return new BlobwireError({
    reason: 'directory_in_use',
    message: `the data directory ${directory} is in use by process ${pid}`
  })
}
