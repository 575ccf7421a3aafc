/** Reads the lists of guards. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Guard } from '../../test/guards/guard.ts'

/** The guards of each list, by the name of its file. */
export async function readGuards(root: string): Promise<Map<string, readonly Guard[]>> {
  const directory = join(root, 'test', 'guards')
  const names = (await readdir(directory)).filter((name) => /^(?!guard\.ts$)[a-z-]+\.ts$/.test(name)).toSorted()
  const lists = new Map<string, readonly Guard[]>()
  for (const name of names) {
    const { guards } = (await import(pathToFileURL(join(directory, name)).href)) as { guards: readonly Guard[] }
    lists.set(name.slice(0, -'.ts'.length), guards)
  }
  return lists
}
