/** Takes account of maintenance by other git processes. */
import { open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isMissing } from './fsync.ts'

/** Locks that are older were left behind: Git ignores such a `gc.pid`, too (builtin/gc.c, `lock_repo_for_gc`). */
const maxLockMs = 12 * 3_600_000

/** Whether `git gc` or `git maintenance run` works in the repository: packs are better not removed under its hands. */
export async function isMaintainedByOthers(gitDir: string): Promise<boolean> {
  const [collecting, maintaining] = await Promise.all([
    isFresh(join(gitDir, 'gc.pid')),
    isFresh(join(gitDir, 'objects', 'maintenance.lock'))
  ])
  return maintaining || (collecting && (await isAlive(join(gitDir, 'gc.pid'))))
}

async function isFresh(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs < maxLockMs
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

/** The file holds the id of the process and the name of its machine. */
async function isAlive(path: string): Promise<boolean> {
  const [pid = '', host] = (await readFile(path, 'utf8').catch(() => '')).split(' ')
  if (host?.trim() !== hostname()) return host !== undefined
  try {
    process.kill(Number(pid), 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Removes a multi-pack-index that names packs which are gone: a process that wrote it while packs were joined did not
 * know. With it, Git takes objects for missing that are in other packs (gitformat-pack(5), "multi-pack-index").
 *
 * @param directory of packs
 */
export async function removeStaleMultiPackIndex(directory: string): Promise<void> {
  const path = join(directory, 'multi-pack-index')
  try {
    const named = await readPackNames(path)
    const files = new Set(await readdir(directory))
    if (named.some((name) => !files.has(name))) await rm(path, { force: true })
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

/**
 * The chunk `PNAM`: names that end with NUL. The table of chunks has 12 bytes each: id, and position in 8 bytes. Git makes
 * nothing of a damaged file, either.
 */
async function readPackNames(path: string): Promise<string[]> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const table = (await handle.read(Buffer.alloc(12 + 256 * 12), 0, 12 + 256 * 12, 0)).buffer
    const chunks = table.readUInt8(6)
    for (let at = 12; at < 12 + chunks * 12; at += 12) {
      if (table.toString('latin1', at, at + 4) !== 'PNAM') continue
      const start = Number(table.readBigUInt64BE(at + 4))
      const length = Number(table.readBigUInt64BE(at + 16)) - start
      if (length < 0 || start + length > size) return []
      const text = (await handle.read(Buffer.alloc(length), 0, length, start)).buffer.toString('latin1')
      return text.split('\0').filter((name) => name.endsWith('.idx'))
    }
    return []
  } finally {
    await handle.close()
  }
}
