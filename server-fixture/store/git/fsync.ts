/** Makes changes of directories outlive a crash of the machine. Source: fsync(2). */
import { mkdir, open, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathOfName } from '../ref-bytes.ts'

/** Makes durable which files were created, renamed or removed in a directory. */
export async function fsyncDirectory(directory: string): Promise<void> {
  await fsyncPath(directory)
}

/** Creates a directory, with those above it that are missing, durably. */
export async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true })
  if (first !== undefined) await fsyncUpTo([dirname(directory)], dirname(first))
}

/** Syncs every file and directory below a directory, and the directory itself. For small trees. */
export async function fsyncTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await fsyncTree(path)
    else if (entry.isFile()) await fsyncPath(path)
  }
  await fsyncPath(directory)
}

/**
 * Syncs each directory and those above it, up to `top`, once. Directories that are gone are skipped, as their contents
 * are.
 */
export async function fsyncUpTo(directories: Iterable<string>, top: string): Promise<void> {
  const paths = new Set<string>()
  for (const directory of directories) {
    for (let path = directory; path.length >= top.length && !paths.has(path); path = dirname(path)) paths.add(path)
  }
  await Promise.all(
    Array.from(paths, async (path) => {
      try {
        await fsyncPath(path)
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    })
  )
}

/** Whether a file operation failed because a file is missing, or because a file stands where a directory should be. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

async function fsyncPath(path: string): Promise<void> {
  const handle = await open(pathOfName(path), 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The names in a directory; none where it is missing. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
