/** Makes the directory of an engine's data. */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type Binaries, takePlace } from './binaries.ts'
import { giveToOwner, owner, runAsOwner } from './owner.ts'

const initFlags = ['-U', 'postgres', '--encoding=UTF8', '--no-locale']

/** Makes the data of a new engine; several processes may do so at once. Resolves to whether the data were missing. */
export async function initialize(directory: string, binaries: Binaries, flags: readonly string[]): Promise<boolean> {
  if (await isThere(directory)) return false
  const making = await mkdtemp(`${directory}-`)
  try {
    await giveToOwner(making)
    await runAsOwner(binaries.initdb, ['-D', making, ...initFlags, ...flags])
    await takePlace(making, directory)
    return true
  } catch (error) {
    await rm(making, { recursive: true, force: true })
    throw error
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false
  )
}

/**
 * The same for an engine whose data go with it: a copy of data that are made once for all of them. Nothing is synced, and
 * everybody on the machine may connect.
 */
export async function copyTemplate(directory: string, binaries: Binaries): Promise<void> {
  const version = /\d[\w.]*/.exec(binaries.version)?.[0]
  const template = join(tmpdir(), `blobwire-database-${version}-${owner?.uid ?? process.getuid?.() ?? 'user'}`)
  await initialize(template, binaries, ['--auth=trust', '--no-sync'])
  if (process.platform === 'win32') {
    const { cp } = await import('node:fs/promises')
    await cp(template, directory, { recursive: true })
  } else await runAsOwner('cp', ['-a', template, join(dirname(directory), basename(directory))])
}
