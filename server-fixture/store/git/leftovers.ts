import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMissing, syncDirectory } from './durable-files.ts'
import { incomingPrefix } from './pack-installer.ts'

/** git holds a lock file for milliseconds; one that is older belongs to a process that was killed. */
const lockAgeMs = 1000

/**
 * Clears a repository of what a killed server left in it: unfinished packs, temporary files of `git repack` and lock
 * files of refs. To be called before the repository is used; no other server works in it then (see `FolderLock`).
 */
export async function sweepRepository(gitDir: string): Promise<void> {
  const objects = join(gitDir, 'objects')
  const packs = join(objects, 'pack')
  for (const name of await namesIn(objects)) {
    if (name.startsWith(incomingPrefix)) await finishIncoming(join(objects, name), packs)
  }
  for (const name of await namesIn(packs)) {
    if (/^\.?tmp[-_]/.test(name)) await rm(join(packs, name), { force: true })
  }
  for (const name of ['packed-refs.lock', 'packed-refs.new', 'HEAD.lock', 'config.lock']) {
    await removeOldLock(join(gitDir, name))
  }
  await sweepLocks(join(gitDir, 'refs'))
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
  await syncDirectory(packs)
  await rm(incoming, { recursive: true, force: true })
}

async function sweepLocks(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true })
  for (const entry of entries) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await sweepLocks(path)
    else if (entry.name.endsWith('.lock')) await removeOldLock(path)
  }
}

/** Waits for a young lock to go or to grow old: a git process from outside, such as a push, may hold it. */
async function removeOldLock(path: string): Promise<void> {
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

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
