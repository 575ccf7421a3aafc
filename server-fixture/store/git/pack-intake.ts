/** Takes in the packs that another git program writes, such as `git receive-pack`. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { PackIntake } from '../store.ts'
import { storageFailure } from './git-failure.ts'
import type { IncomingDirectory } from './incoming-directory.ts'
import type { PackDirectory } from './pack-directory.ts'

/** A repository that is open, and takes in packs. */
interface PackTaker {
  makeIncoming(): Promise<IncomingDirectory>
  takePacks(incoming: IncomingDirectory): Promise<void>
}

/**
 * Makes a directory for packs in the repository, which crash recovery removes after a server that was killed.
 *
 * @param use opens the repository for each step: a push may take an hour
 */
export async function openPackIntake(
  use: <T>(work: (found: PackTaker) => Promise<T>) => Promise<T>
): Promise<PackIntake> {
  const incoming = await use((found) => found.makeIncoming())
  return {
    path: incoming.path,
    take: () => use((found) => found.takePacks(incoming)),
    remove: () => incoming.remove()
  }
}

/** Moves all packs of the directory in, durably. Returns how many there were. */
export async function takePacks(packs: PackDirectory, incoming: IncomingDirectory): Promise<number> {
  const names = await readdir(join(incoming.path, 'pack')).catch((error: unknown) => {
    throw storageFailure('reading a directory of new packs', error)
  })
  const hashes = names.flatMap((name) => /^pack-([0-9a-f]+)\.idx$/.exec(name)?.[1] ?? [])
  for (const hash of hashes) await packs.moveIn(incoming, hash)
  return hashes.length
}
