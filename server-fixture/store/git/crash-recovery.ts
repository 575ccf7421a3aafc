/** Cleans up after a server that was killed: its git processes, then the unfinished files in its repositories. */
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fsyncDirectory, isMissing, namesIn } from './fsync.ts'
import { instanceVariable } from './git-process.ts'
import { isIncoming, keepMark } from './incoming-directory.ts'
import { removeStaleMultiPackIndex } from './other-maintenance.ts'

/** git holds a lock file for milliseconds; an older one belongs to a process that was killed. */
const lockAgeMs = 1000
/** Where processes cannot be listed, orphans get this long: they meet the end of their input and finish. */
const orphanGraceMs = 250
/** A long `git repack` is not waited for: it may go on beside a new server, and deletes only packs it has copied. */
const maxOrphanWaitMs = 5_000
const pollMs = 20

/**
 * Waits until the git processes of a killed server have ended, so that none works in its repositories while they are
 * recovered and used. Source of the list: proc(5), `/proc/pid/environ`.
 *
 * @param instance the id that the server gave to its git processes
 */
export async function waitForOrphans(instance: string): Promise<void> {
  const pids = await listProcesses()
  if (pids.length === 0) return await sleep(orphanGraceMs)
  const deadline = performance.now() + maxOrphanWaitMs
  while (performance.now() < deadline && (await anyWith(`${instanceVariable}=${instance}`))) await sleep(pollMs)
}

async function anyWith(variable: string): Promise<boolean> {
  const found = await Promise.all(
    (await listProcesses()).map(async (pid) => {
      // Processes of other users cannot be read, and are not ours.
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
      return environment.split('\0').includes(variable)
    })
  )
  return found.includes(true)
}

async function listProcesses(): Promise<string[]> {
  const names = await readdir('/proc').catch(() => [])
  return names.filter((name) => /^\d+$/.test(name))
}

/**
 * Removes unfinished packs, temporary files of `git repack` and lock files of refs. Call it before the repository is
 * used; no other server works in it then (see `LockFile`).
 */
export async function recoverRepository(gitDir: string): Promise<void> {
  const objects = join(gitDir, 'objects')
  const packs = join(objects, 'pack')
  for (const name of await namesIn(objects)) {
    if (isIncoming(name)) await finishIncoming(join(objects, name), packs)
  }
  await removeParts(packs)
  await removeStaleMultiPackIndex(packs)
  for (const name of ['packed-refs.lock', 'packed-refs.new', 'HEAD.lock', 'config.lock']) {
    await removeStaleLock(join(gitDir, name))
  }
  await removeStaleLocks(join(gitDir, 'refs'))
}

/** Removes unfinished files of git, and what is left of packs that were about to be moved in, or removed. */
async function removeParts(packs: string): Promise<void> {
  const names = await namesIn(packs)
  const there = new Set(names)
  for (const name of names) {
    const path = join(packs, name)
    if (/^\.?tmp[-_]/.test(name)) await rm(path, { force: true })
    const pack = name.slice(0, -extname(name).length)
    const isWhole = there.has(`${pack}.idx`)
    if (name.endsWith('.keep') && !isWhole && (await readFile(path, 'utf8')) === keepMark) {
      // The pack had no index, or has none any more: nothing in it was acknowledged, or all of it is in another pack.
      for (const file of names) if (file.startsWith(`${pack}.`) && file !== name) await rm(join(packs, file))
      await rm(path)
    }
  }
}

/**
 * A pack is moved in before its index. If the server was stopped in between, the index follows now: index-pack had
 * finished both. Everything else was never acknowledged.
 */
async function finishIncoming(incoming: string, packs: string): Promise<void> {
  const there = new Set(await namesIn(packs))
  for (const name of await namesIn(join(incoming, 'pack'))) {
    const pack = name.replace(/\.idx$/, '.pack')
    if (pack !== name && there.has(pack)) await rename(join(incoming, 'pack', name), join(packs, name))
  }
  await fsyncDirectory(packs)
  await rm(incoming, { recursive: true, force: true })
}

async function removeStaleLocks(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true })
  for (const entry of entries) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await removeStaleLocks(path)
    else if (entry.name.endsWith('.lock')) await removeStaleLock(path)
  }
}

/** Waits for a young lock to go or to grow old: a git process from outside, such as a push, may hold it. */
async function removeStaleLock(path: string): Promise<void> {
  for (;;) {
    let ageMs: number
    try {
      ageMs = Date.now() - (await stat(path)).mtimeMs
    } catch (error) {
      if (isMissing(error)) return
      throw error
    }
    // A date in the future is no reason to wait for it.
    if (ageMs < 0 || ageMs > lockAgeMs) return await rm(path, { force: true })
    await sleep(Math.min(50, lockAgeMs))
  }
}
