import { open, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Makes what was created, renamed or removed in a folder outlive a crash of the machine. Source: fsync(2). */
export async function syncDirectory(directory: string): Promise<void> {
  await syncPath(directory)
}

/** Syncs every file and folder below a folder, and the folder. For small trees. */
export async function syncTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await syncTree(path)
    else if (entry.isFile()) await syncPath(path)
  }
  await syncPath(directory)
}

/** Syncs the folders from `directory` up to `top`. Those that are gone are left out: what was in them is gone too. */
export async function syncUpTo(directory: string, top: string): Promise<void> {
  for (let path = directory; path.length >= top.length; path = dirname(path)) {
    try {
      await syncPath(path)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
}

/** Whether a file operation failed because there is no such file, or because a file is where a folder was looked for. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
